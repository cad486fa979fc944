-- Those who were bound to what was backed up are not bound to this. In whose name views and procedures run stays, locked.
DELIMITER //
BEGIN NOT ATOMIC
    FOR bound IN (SELECT User, Host FROM mysql.global_priv WHERE User = 'platform' OR User REGEXP '^u[0-9a-f]{32}$') DO
        SET @name = CONCAT(QUOTE(bound.User), '@', QUOTE(bound.Host));
        SET @definer = CONCAT(bound.User, '@', bound.Host);
        IF EXISTS (
            SELECT 1 FROM information_schema.VIEWS WHERE definer = @definer UNION ALL
            SELECT 1 FROM information_schema.ROUTINES WHERE definer = @definer UNION ALL
            SELECT 1 FROM information_schema.TRIGGERS WHERE definer = @definer UNION ALL
            SELECT 1 FROM information_schema.EVENTS WHERE definer = @definer
        ) THEN
            EXECUTE IMMEDIATE CONCAT('ALTER USER ', @name, ' ACCOUNT LOCK');
        ELSE
            EXECUTE IMMEDIATE CONCAT('DROP USER ', @name);
        END IF;
    END FOR;
END //
DELIMITER ;
