-- Nothing that the tenant has put in a schema may stand in for what is meant.
SET search_path = pg_catalog;
-- It has a maintenance window of its own.
ALTER DATABASE main RESET platform.maintenance_window;
-- Those who were bound to what was backed up are not bound to this.
DO $$
DECLARE
    bound text;
BEGIN
    FOR bound IN SELECT rolname FROM pg_roles WHERE rolname ~ '^u[0-9a-f]{32}$' LOOP
        EXECUTE format('REASSIGN OWNED BY %I TO manager', bound);
        EXECUTE format('DROP OWNED BY %I', bound);
        EXECUTE format('DROP ROLE %I', bound);
    END LOOP;
END
$$;
