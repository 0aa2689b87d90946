-- Who may do what with which table: run as ibanse_owner after every migrate. One transaction, so that whoever is being
-- served meanwhile notices nothing.
BEGIN;

-- What a migration adds can be used at once, even before this has run again.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ibanse_app, ibanse_erase;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO ibanse_app, ibanse_erase;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ibanse_app, ibanse_erase, ibanse_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ibanse_app, ibanse_erase;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ibanse_app, ibanse_erase;

-- Less than the rest. `may` is all that a role may do with the table. A table that is not there is an error: its name has
-- changed, and its protection must follow.
CREATE TEMPORARY TABLE exception (of_table regclass, role name, may text) ON COMMIT DROP;
INSERT INTO exception VALUES
    -- The history of an account is only added to. Whoever serves can neither change nor remove what was done.
    ('accounts_historyentry', 'ibanse_app', 'SELECT, INSERT'),
    -- What is personal in it can be erased, with a user or after seven days (accounts/audit/client_log.py). Any other change of it
    -- shows: its hash stands in the entry.
    ('accounts_historydetail', 'ibanse_app', 'SELECT, INSERT, UPDATE (sealed, sealed_address)'),
    -- So is the history of staff (accounts/audit/staff_log.py). The one row of turns is made by the first who needs it.
    ('accounts_staffentry', 'ibanse_app', 'SELECT, INSERT'),
    ('accounts_staffdetail', 'ibanse_app', 'SELECT, INSERT, UPDATE (sealed, sealed_address)'),
    ('accounts_staffloglock', 'ibanse_app', 'SELECT, INSERT, UPDATE'),
    -- Receipts of deletions are made, shown and, in time, forgotten; what they say is never changed by who serves. The
    -- right to one column is the right to lock a row (SELECT … FOR UPDATE), as accounts/batch.py does before it deletes.
    ('privacy_erasurereceipt', 'ibanse_app', 'SELECT, INSERT, UPDATE (is_compacted), DELETE'),
    -- What a group of staff may is the release's to say (accounts/staff/groups.py): sync_staff_groups runs as the owner. Whoever
    -- serves changes who is in a group, and nothing else gives a right.
    ('auth_group', 'ibanse_app', 'SELECT'),
    ('auth_permission', 'ibanse_app', 'SELECT'),
    ('auth_group_permissions', 'ibanse_app', 'SELECT'),
    ('accounts_user_user_permissions', 'ibanse_app', 'SELECT, DELETE'),
    -- Nothing is ever written here: what staff do is in their history.
    ('django_admin_log', 'ibanse_app', 'SELECT, DELETE'),
    -- Migrations are the owner's.
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

    -- ibanse_readonly sees every column but those that somebody could sign in with.
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
