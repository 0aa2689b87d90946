-- The roles and the database: run by the superuser in psql; can be repeated with the same result.
--
--   ibanse_owner     owns the tables, changes them in migrations
--   ibanse_app       serves; its restrictions are in rights.sql
--   ibanse_erase     executes deletions and prunes
--   ibanse_readonly  reads, for statistics and repairs; sees no credentials
--   ibanse_backup    reads everything, for dumps
--
-- None has a password: over the socket the operating system authenticates (pg_ident.conf).
\set ON_ERROR_STOP on
\set QUIET on

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['ibanse_owner', 'ibanse_app', 'ibanse_erase', 'ibanse_readonly', 'ibanse_backup']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

SELECT format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', rolname)
FROM pg_roles WHERE rolname LIKE 'ibanse\_%' \gexec

ALTER ROLE ibanse_readonly SET default_transaction_read_only = on;
ALTER ROLE ibanse_backup SET default_transaction_read_only = on;
-- A forgotten read-only session must not prevent the removal of dead rows, and so of deleted data.
ALTER ROLE ibanse_readonly SET statement_timeout = '5min';
ALTER ROLE ibanse_readonly SET idle_in_transaction_session_timeout = '5min';
GRANT pg_read_all_data TO ibanse_backup;

SELECT 'CREATE DATABASE ibanse OWNER ibanse_owner TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ibanse') \gexec

REVOKE ALL ON DATABASE ibanse FROM PUBLIC;
GRANT CONNECT ON DATABASE ibanse TO ibanse_app, ibanse_erase, ibanse_readonly, ibanse_backup;

\connect ibanse
ALTER SCHEMA public OWNER TO ibanse_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ibanse_app, ibanse_erase, ibanse_readonly, ibanse_backup;
