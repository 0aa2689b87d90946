-- The rights of each role on each table: run as ibanse_owner after every migrate. One transaction, so that requests
-- meanwhile are not affected.
BEGIN;

-- New tables of a migration can be used at once, even before this has run again.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ibanse_app, ibanse_erase;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO ibanse_app, ibanse_erase;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ibanse_app, ibanse_erase, ibanse_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ibanse_app, ibanse_erase;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ibanse_app, ibanse_erase;

-- Tables with fewer rights; `may` lists all that a role has. A missing table is an error: it was renamed, and its
-- protection must follow.
CREATE TEMPORARY TABLE exception (of_table regclass, role name, may text) ON COMMIT DROP;
INSERT INTO exception VALUES
    -- The audit log is append-only: the serving role can neither change nor remove an entry.
    ('accounts_historyentry', 'ibanse_app', 'SELECT, INSERT'),
    -- Its personal details can be erased, with a user or after seven days (accounts/audit/client_log.py). Any other
    -- change is detected: their hash is in the entry.
    ('accounts_historydetail', 'ibanse_app', 'SELECT, INSERT, UPDATE (sealed, sealed_address)'),
    -- So is the staff audit log (accounts/audit/staff_log.py). The first entry creates the one row that serves as its lock.
    ('accounts_staffentry', 'ibanse_app', 'SELECT, INSERT'),
    ('accounts_staffdetail', 'ibanse_app', 'SELECT, INSERT, UPDATE (sealed, sealed_address)'),
    ('accounts_staffloglock', 'ibanse_app', 'SELECT, INSERT, UPDATE'),
    -- The serving role creates, shows and eventually deletes receipts of deletions, but never changes their content. The
    -- right to one column is the right to lock a row (SELECT … FOR UPDATE), as accounts/batch.py does before it deletes.
    ('privacy_erasurereceipt', 'ibanse_app', 'SELECT, INSERT, UPDATE (is_compacted), DELETE'),
    -- The release defines the permissions of staff groups (accounts/staff/groups.py): sync_staff_groups runs as the owner.
    -- The serving role only changes who is in a group, and nothing else grants a permission.
    ('auth_group', 'ibanse_app', 'SELECT'),
    ('auth_permission', 'ibanse_app', 'SELECT'),
    ('auth_group_permissions', 'ibanse_app', 'SELECT'),
    ('accounts_user_user_permissions', 'ibanse_app', 'SELECT, DELETE'),
    -- Never written: actions of staff are in the staff audit log.
    ('django_admin_log', 'ibanse_app', 'SELECT, DELETE'),
    -- Only the owner migrates.
    ('django_migrations', 'ibanse_app', 'SELECT'),
    ('django_migrations', 'ibanse_erase', 'SELECT');

DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT * FROM exception LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', each.of_table, each.role);
        EXECUTE format('GRANT %s ON %s TO %I', each.may, each.of_table, each.role);
    END LOOP;

    -- ibanse_readonly sees every column except credentials.
    FOR each IN
        SELECT table_name, string_agg(quote_ident(column_name), ', ') AS names
        FROM information_schema.columns
        WHERE table_schema = 'public'
          AND table_name NOT IN ('account_emailconfirmation', 'django_session', 'mfa_authenticator', 'usersessions_usersession')
          AND (table_name, column_name) NOT IN (('accounts_user', 'password'), ('accounts_invitation', 'nonce'))
        GROUP BY table_name
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %I TO ibanse_readonly', each.names, each.table_name);
    END LOOP;
END
$$;

COMMIT;
