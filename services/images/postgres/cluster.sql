-- What every instance has from the start: one database, and the two roles that its users act as.

-- Whoever may write acts as "manager", who therefore owns everything that any of them makes.
CREATE ROLE manager NOLOGIN;
GRANT pg_monitor, pg_signal_backend TO manager;
-- Whoever may only read acts as "reader".
CREATE ROLE reader NOLOGIN;

-- Who takes backups: begins and ends them, and reads no data.
CREATE ROLE backup LOGIN;
GRANT pg_read_all_settings, pg_checkpoint TO backup;
GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean), pg_create_restore_point(text),
    pg_switch_wal() TO backup;
-- When the platform last wrote here: what is restored must know it too.
CREATE TABLE heartbeat (at timestamptz NOT NULL);
INSERT INTO heartbeat VALUES (now());

CREATE DATABASE main;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO backup;
REVOKE ALL ON DATABASE main FROM PUBLIC;
GRANT CONNECT ON DATABASE main TO PUBLIC;
GRANT CREATE, TEMPORARY ON DATABASE main TO manager;
-- Extensions stand in a schema where nobody else can put anything that their scripts might trip over.
ALTER DATABASE main SET search_path = "$user", public, extensions;

\connect main
ALTER SCHEMA public OWNER TO manager;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO reader;
CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
CREATE EXTENSION citext SCHEMA extensions;
CREATE EXTENSION pg_stat_statements SCHEMA extensions;
CREATE EXTENSION "uuid-ossp" SCHEMA extensions;

ALTER DEFAULT PRIVILEGES FOR ROLE manager GRANT USAGE ON SCHEMAS TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE manager GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE manager GRANT SELECT ON SEQUENCES TO reader;
-- Everybody may make large objects, unless told otherwise; readers make nothing.
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) TO manager;
