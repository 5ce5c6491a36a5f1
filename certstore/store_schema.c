/*
 * The store's tables: one step a schema version, numbered by PRAGMA user_version. A step once released is never
 * changed; a change is a new step. A step and its number are committed together, so a death between two steps leaves
 * a whole older store that the next start takes further.
 */
#include "certstore/store_schema.h"

#include <stdio.h>

#include "certstore/store_sqlite.h"

/* "PSTN": tells our database from any other file of SQLite. */
enum { APPLICATION_ID = 0x5053544e };

/* Unary plus: not the index of ends, which would be walked from its end. Of one partner, what a table of thousands
 * shows: by which of its certificates it can be encrypted to until when (known: any that is stored, its people's,
 * too; proven: one that is pinned, was believed, or is in its trusted statement), and what its statement is (1
 * trusted, 2 one waits, 3 not trusted any more, 4 withdrawn, 5 frozen). Kept by triggers, so that nobody who writes
 * can forget it. */
#define KEYS_GLANCE(whose)                                                                                           \
	"UPDATE partner SET known_until = max("                                                                      \
	"coalesce((SELECT max(+not_after) FROM cert AS c WHERE substr(c.owner, instr(c.owner, '@') + 1) ="           \
	" +partner.domain), 0), coalesce((SELECT max(+not_after) FROM cert AS c WHERE c.owner = partner.domain), "   \
	"0)),"                                                                                                       \
	" proven_until = max(coalesce((SELECT max(+not_after) FROM cert AS c WHERE"                                  \
	" substr(c.owner, instr(c.owner, '@') + 1) = +partner.domain AND c.pinned <> 0), 0),"                        \
	" coalesce((SELECT max(+not_after) FROM cert AS c WHERE c.owner = partner.domain AND (c.pinned <> 0 OR "     \
	"EXISTS"                                                                                                     \
	" (SELECT 1 FROM believed AS b WHERE b.owner = c.owner AND b.sha256 = c.sha256))), 0),"                      \
	" coalesce((SELECT max(+not_after) FROM in_use AS u WHERE u.owner = partner.domain AND EXISTS"               \
	" (SELECT 1 FROM believed AS b WHERE b.owner = u.owner AND b.sha256 = u.sha256)), 0),"                       \
	" coalesce((SELECT max(ends) FROM statement_cert AS t WHERE t.domain = partner.domain AND t.use IN (3, "     \
	"4)), 0)),"                                                                                                  \
	" waits = EXISTS (SELECT 1 FROM believed AS b WHERE b.owner = partner.domain AND b.waiting <> '')"           \
	" WHERE domain IN (" whose ", substr(" whose ", instr(" whose ", '@') + 1)); "
#define BODY_GLANCE "FROM statement_body AS b WHERE b.domain = partner.domain AND "
#define SAID_GLANCE(whose)                                                                                           \
	"UPDATE partner SET said = coalesce((SELECT CASE WHEN t.frozen <> 0 THEN 5 WHEN EXISTS (SELECT "             \
	"1 " BODY_GLANCE "b.waiting = 1) THEN 2 WHEN EXISTS (SELECT 1 " BODY_GLANCE                                  \
	"b.waiting = 0 AND length(b.der) > 0 AND b.withdrawn <> 0) THEN 4 WHEN EXISTS (SELECT 1 " BODY_GLANCE        \
	"b.waiting = 0 AND length(b.der) > 0) THEN 1 WHEN t.established <> 0 THEN 3 ELSE 0 END"                      \
	" FROM statement AS t WHERE t.domain = partner.domain), 0),"                                                 \
	" missed = coalesce((SELECT t.missed FROM statement AS t WHERE t.domain = partner.domain), 0),"              \
	" issued = coalesce((SELECT b.issued " BODY_GLANCE "b.waiting = 0 AND length(b.der) > 0), 0),"               \
	" expires = coalesce((SELECT b.expires " BODY_GLANCE "b.waiting = 0 AND length(b.der) > 0), 0)"              \
	" WHERE domain = " whose "; "
#define WHEN_GLANCE(name, event, body) "CREATE TRIGGER glance_" name " AFTER " event " BEGIN " body "END;"

static const char *const steps[] = {
    /* 1 */
    "CREATE TABLE identity (id INTEGER PRIMARY KEY, domain TEXT NOT NULL, use INTEGER NOT NULL CHECK (use BETWEEN 1 "
    "AND 3),"
    " key_id TEXT NOT NULL UNIQUE, cert BLOB, chain BLOB, spki BLOB, active INTEGER NOT NULL, added INTEGER NOT "
    "NULL) STRICT;"
    "CREATE INDEX identity_domain ON identity (domain, use);"
    "CREATE TABLE partner (domain TEXT PRIMARY KEY, treatment TEXT NOT NULL, strength TEXT NOT NULL, note TEXT NOT "
    "NULL,"
    " added INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE seen (domain TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE cert (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, der BLOB NOT NULL, sha256 TEXT NOT NULL,"
    " source TEXT NOT NULL, pinned INTEGER NOT NULL, added INTEGER NOT NULL, not_after INTEGER NOT NULL,"
    " UNIQUE (owner, sha256)) STRICT;"
    "CREATE INDEX cert_end ON cert (not_after);"
    "CREATE TABLE anchor (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, dir INTEGER NOT NULL CHECK (dir BETWEEN 0 AND "
    "2),"
    " der BLOB NOT NULL, sha256 TEXT NOT NULL, added INTEGER NOT NULL, UNIQUE (scope, sha256)) STRICT;"
    "CREATE TABLE rule (id INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, name TEXT NOT NULL UNIQUE,"
    " sender TEXT NOT NULL, recipient TEXT NOT NULL, treatment TEXT NOT NULL, strength TEXT NOT NULL) STRICT;"
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,"
    " subject TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL) STRICT;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is "
    "append-only'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is "
    "append-only'); END;",
    /* 2: how the mail for a partner is written, and what its reader said that it can */
    "ALTER TABLE partner ADD COLUMN format TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE capabilities (owner TEXT NOT NULL, sha256 TEXT NOT NULL, signer TEXT NOT NULL, caps BLOB NOT NULL,"
    " signing_time INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (owner, sha256)) STRICT, WITHOUT ROWID;",
    /* 3: content that a rule lets go unprotected */
    "ALTER TABLE rule ADD COLUMN exempt TEXT NOT NULL DEFAULT '';",
    /* 4: where a partner's certificate is looked for */
    "ALTER TABLE partner ADD COLUMN find TEXT NOT NULL DEFAULT '';",
    /* 5: anchors for a group of partners and for one domain of ours, and those that came with a bundle; what is known
     * to be revoked; warnings that were given; by what reason certificates are believed */
    "ALTER TABLE partner ADD COLUMN family TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE anchor_5 (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, dir INTEGER NOT NULL CHECK (dir BETWEEN 0 "
    "AND 2), der BLOB NOT NULL, sha256 TEXT NOT NULL, added INTEGER NOT NULL, local TEXT NOT NULL DEFAULT '',"
    " bundle INTEGER NOT NULL DEFAULT 0, UNIQUE (scope, local, bundle, sha256)) STRICT;"
    "INSERT INTO anchor_5 (id, scope, dir, der, sha256, added) SELECT id, scope, dir, der, sha256, added FROM anchor;"
    "DROP TABLE anchor; ALTER TABLE anchor_5 RENAME TO anchor;"
    "CREATE TABLE bundle (id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, scope TEXT NOT NULL, dir INTEGER NOT "
    "NULL,"
    " local TEXT NOT NULL, signer BLOB, every INTEGER NOT NULL, added INTEGER NOT NULL, tried INTEGER NOT NULL,"
    " taken INTEGER NOT NULL, sha256 TEXT NOT NULL, trouble TEXT NOT NULL, difference TEXT NOT NULL) STRICT;"
    "CREATE TABLE revoked (sha256 TEXT PRIMARY KEY, words TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE warned (sha256 TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, days INTEGER NOT NULL,"
    " PRIMARY KEY (sha256, kind, owner)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE believed (owner TEXT NOT NULL, use INTEGER NOT NULL, sha256 TEXT NOT NULL, reason INTEGER NOT NULL,"
    " at INTEGER NOT NULL, waiting TEXT NOT NULL, waiting_reason INTEGER NOT NULL, waiting_at INTEGER NOT NULL,"
    " PRIMARY KEY (owner, use)) STRICT, WITHOUT ROWID;",
    /* 6: who was believed is kept for each domain of ours; what was known before counts for all of them */
    "CREATE TABLE believed_6 (owner TEXT NOT NULL, use INTEGER NOT NULL, local TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " reason INTEGER NOT NULL, at INTEGER NOT NULL, waiting TEXT NOT NULL, waiting_reason INTEGER NOT NULL,"
    " waiting_at INTEGER NOT NULL, PRIMARY KEY (owner, use, local)) STRICT, WITHOUT ROWID;"
    "INSERT INTO believed_6 SELECT owner, use, '', sha256, reason, at, waiting, waiting_reason, waiting_at FROM "
    "believed;"
    "DROP TABLE believed; ALTER TABLE believed_6 RENAME TO believed;",
    /* 7: statements of partners: the trusted one, the one that waits, keys that signed, certificates, who holds ours
     */
    "CREATE TABLE statement (domain TEXT PRIMARY KEY, through TEXT NOT NULL, established INTEGER NOT NULL,"
    " pin TEXT NOT NULL, follow INTEGER NOT NULL, frozen INTEGER NOT NULL, frozen_why TEXT NOT NULL,"
    " fetched INTEGER NOT NULL, probed INTEGER NOT NULL, url TEXT NOT NULL, offered_since INTEGER NOT NULL,"
    " offered INTEGER NOT NULL, missed INTEGER NOT NULL, local_parts TEXT NOT NULL, decided INTEGER NOT NULL,"
    " decision TEXT NOT NULL, alarmed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE statement_body (domain TEXT NOT NULL, waiting INTEGER NOT NULL CHECK (waiting BETWEEN 0 AND 1),"
    " der BLOB NOT NULL, content BLOB NOT NULL, id TEXT NOT NULL, serial INTEGER NOT NULL, issued INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, withdrawn INTEGER NOT NULL, key TEXT NOT NULL, cert TEXT NOT NULL,"
    " level INTEGER NOT NULL, how TEXT NOT NULL, why TEXT NOT NULL, since INTEGER NOT NULL,"
    " PRIMARY KEY (domain, waiting)) STRICT;"
    "CREATE TABLE statement_key (domain TEXT NOT NULL, key TEXT NOT NULL, announced INTEGER NOT NULL,"
    " used INTEGER NOT NULL, retired INTEGER NOT NULL, bad INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " PRIMARY KEY (domain, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE statement_cert (domain TEXT NOT NULL, sha256 TEXT NOT NULL, use INTEGER NOT NULL,"
    " der BLOB NOT NULL, begins INTEGER NOT NULL, ends INTEGER NOT NULL, PRIMARY KEY (domain, sha256, use)) STRICT;"
    "CREATE TABLE statement_held (ours TEXT NOT NULL, domain TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (ours, domain)) STRICT, WITHOUT ROWID;",
    /* 8: our own statements, keys that sign them, keys that take over at a time; use 5: statement */
    "CREATE TABLE identity_8 (id INTEGER PRIMARY KEY, domain TEXT NOT NULL, use INTEGER NOT NULL CHECK (use IN (1, "
    "2, 3, 5)), key_id TEXT NOT NULL UNIQUE, cert BLOB, chain BLOB, spki BLOB, active INTEGER NOT NULL,"
    " added INTEGER NOT NULL, from_at INTEGER NOT NULL DEFAULT 0, until_at INTEGER NOT NULL DEFAULT 0) STRICT;"
    "INSERT INTO identity_8 (id, domain, use, key_id, cert, chain, spki, active, added)"
    " SELECT id, domain, use, key_id, cert, chain, spki, active, added FROM identity;"
    "DROP TABLE identity; ALTER TABLE identity_8 RENAME TO identity;"
    "CREATE INDEX identity_domain ON identity (domain, use);"
    "CREATE TABLE own_statement (domain TEXT PRIMARY KEY, id TEXT NOT NULL, serial INTEGER NOT NULL,"
    " issued INTEGER NOT NULL, expires INTEGER NOT NULL, facts TEXT NOT NULL, der BLOB NOT NULL) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE own_statement_id (domain TEXT NOT NULL, id TEXT NOT NULL, serial INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, PRIMARY KEY (domain, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rollover (domain TEXT NOT NULL, kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),"
    " step INTEGER NOT NULL, started INTEGER NOT NULL, switch_at INTEGER NOT NULL, finish_at INTEGER NOT NULL,"
    " serial INTEGER NOT NULL, early INTEGER NOT NULL, PRIMARY KEY (domain, kind)) STRICT, WITHOUT ROWID;",
    /* 9: keys of ours that were retired, until the keeper has forgotten them; since when a bundle brings nothing;
     * whose certificate was revoked; certificates of the network that mail is encrypted to: what runs out */
    "ALTER TABLE identity ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE bundle ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE revoked ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE in_use (owner TEXT NOT NULL, sha256 TEXT NOT NULL, subject TEXT NOT NULL, serial TEXT NOT NULL,"
    " not_after INTEGER NOT NULL, PRIMARY KEY (owner, sha256)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX in_use_end ON in_use (not_after);",
    /* 10: several nodes decide about a partner's statements; by what certificates their keys were believed, and when
     * that was last looked at again */
    "ALTER TABLE statement ADD COLUMN version INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE statement ADD COLUMN weighed INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE statement_key_cert (domain TEXT NOT NULL, key TEXT NOT NULL, der BLOB NOT NULL,"
    " chain BLOB NOT NULL, PRIMARY KEY (domain, key)) STRICT;",
    /* 11: who may ask over HTTP, and with which tokens: of a token there is the SHA-256 alone */
    "CREATE TABLE user (name TEXT PRIMARY KEY, role INTEGER NOT NULL CHECK (role BETWEEN 1 AND 4),"
    " added INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE user_token (id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, label TEXT NOT NULL,"
    " role INTEGER NOT NULL CHECK (role BETWEEN 1 AND 4), hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    " added INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"
    "CREATE INDEX user_token_user ON user_token (user);",
    /* 12: how users sign in: SHA-256 of what Argon2id makes of a password (the row of user '' has the salt from which
     * those of unknown names are made), secrets for codes, sessions by their SHA-256 */
    "CREATE TABLE user_password (user TEXT PRIMARY KEY, salt BLOB NOT NULL CHECK (length(salt) = 16),"
    " verifier BLOB NOT NULL CHECK (length(verifier) = 32), memory INTEGER NOT NULL, passes INTEGER NOT NULL,"
    " changed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE user_totp (user TEXT PRIMARY KEY, secret BLOB NOT NULL, step INTEGER NOT NULL) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE session (hash BLOB PRIMARY KEY CHECK (length(hash) = 32), user TEXT NOT NULL,"
    " began INTEGER NOT NULL, used INTEGER NOT NULL, address TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX session_user ON session (user);",
    /* 13: which statements run out, without reading their octets; whose a certificate is */
    "CREATE INDEX IF NOT EXISTS cert_sha256 ON cert (sha256, owner);"
    "CREATE INDEX IF NOT EXISTS statement_body_end ON statement_body (waiting, withdrawn, expires, issued, serial, "
    "id, domain);",
    /* 14: the state of each partner at a glance */
    "ALTER TABLE partner ADD COLUMN known_until INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE partner ADD COLUMN proven_until INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE partner ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE partner ADD COLUMN said INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE partner ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE partner ADD COLUMN issued INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE partner ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX cert_domain ON cert (substr(owner, instr(owner, '@') + 1), not_after);" WHEN_GLANCE("partner",
	"INSERT ON partner", KEYS_GLANCE("NEW.domain") SAID_GLANCE("NEW.domain")) WHEN_GLANCE("partner_name",
	"UPDATE OF domain ON partner", KEYS_GLANCE("NEW.domain") SAID_GLANCE("NEW.domain")) WHEN_GLANCE("cert_add",
	"INSERT ON cert", KEYS_GLANCE("NEW.owner")) WHEN_GLANCE("cert_set", "UPDATE OF pinned, not_after ON cert",
	KEYS_GLANCE("NEW.owner")) WHEN_GLANCE("cert_gone", "DELETE ON cert",
	KEYS_GLANCE("OLD.owner")) WHEN_GLANCE("in_use_add", "INSERT ON in_use",
	KEYS_GLANCE("NEW.owner")) WHEN_GLANCE("in_use_gone", "DELETE ON in_use",
	KEYS_GLANCE("OLD.owner")) WHEN_GLANCE("believed_add", "INSERT ON believed",
	KEYS_GLANCE("NEW.owner")) WHEN_GLANCE("believed_set", "UPDATE OF sha256, waiting ON believed",
	KEYS_GLANCE("NEW.owner")) WHEN_GLANCE("believed_gone", "DELETE ON believed",
	KEYS_GLANCE("OLD.owner")) WHEN_GLANCE("given_add", "INSERT ON statement_cert",
	KEYS_GLANCE("NEW.domain")) WHEN_GLANCE("given_gone", "DELETE ON statement_cert",
	KEYS_GLANCE("OLD.domain")) WHEN_GLANCE("statement_add", "INSERT ON statement",
	SAID_GLANCE("NEW.domain")) WHEN_GLANCE("statement_set",
	"UPDATE OF frozen, established, missed ON statement WHEN"
	" (NEW.frozen <> 0) <> (OLD.frozen <> 0) OR NEW.established <> OLD.established OR NEW.missed <> OLD.missed",
	SAID_GLANCE("NEW.domain")) WHEN_GLANCE("statement_gone", "DELETE ON statement", SAID_GLANCE("OLD.domain"))
	WHEN_GLANCE("body_add", "INSERT ON statement_body", SAID_GLANCE("NEW.domain"))
	    WHEN_GLANCE("body_set", "UPDATE ON statement_body", SAID_GLANCE("NEW.domain"))
		WHEN_GLANCE("body_gone", "DELETE ON statement_body", SAID_GLANCE("OLD.domain"))
    /* those that are there */
    "UPDATE partner SET domain = domain;",
    /* 15: partners' hosts that were seen to offer XSMG */
    "CREATE TABLE statement_host (domain TEXT NOT NULL, host TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (domain, host)) STRICT, WITHOUT ROWID;",
    /* 16: when mail was last encrypted to a certificate of the network; of those known before: now */
    "ALTER TABLE in_use ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
    "UPDATE in_use SET used = CAST(strftime('%s', 'now') AS INTEGER);",
    /* 17: changes that wait for a second person */
    "CREATE TABLE proposal (id INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, subject TEXT NOT NULL,"
    " what TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL, expires INTEGER NOT NULL, args TEXT NOT NULL)"
    " STRICT;",
    /* 18: the history of a partner: rows about its domain and its people, and those about one person. Rules and users
     * may be called as a domain is. */
    "CREATE INDEX audit_domain ON audit (substr(subject, instr(subject, '@') + 1)) WHERE substr(what, 1, 5) NOT IN "
    "('rule.', 'user.') AND subject <> '';"
    "CREATE INDEX audit_person ON audit (subject) WHERE instr(subject, '@') > 1;",
};

int store_schema_version(void)
{
	return (int)(sizeof steps / sizeof *steps);
}

static int pragma_int(sqlite3 *db, const char *sql, int *v_r, struct problem *pr)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*v_r = sqlite3_column_int(st, 0);
		(void)sqlite3_finalize(st);
		return 0;
	}
	store_sqlite_fail(db, pr);
	(void)sqlite3_finalize(st);
	return -1;
}

static int run_step(sqlite3 *db, int to, struct problem *pr)
{
	char head[128];

	(void)snprintf(
	    head, sizeof head, "PRAGMA user_version = %d; PRAGMA application_id = %d; COMMIT", to, APPLICATION_ID);
	if (store_sqlite_exec(db, steps[to - 1], pr) == 0 && store_sqlite_exec(db, head, pr) == 0)
		return 0;
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return problem_prefix(pr, "bringing the store to schema %d: ", to);
}

static int check_ours(sqlite3 *db, int version, struct problem *pr)
{
	int app = 0;

	if (pragma_int(db, "PRAGMA application_id", &app, pr) < 0)
		return -1;
	if (app != APPLICATION_ID && (app != 0 || version != 0))
		return problem_temp(
		    pr, "store.db is not a store of postern but another program's database: move it away");
	if (version > store_schema_version())
		return problem_temp(pr,
		    "store.db has schema %d and this postern knows schemas up to %d: run the newer postern that "
		    "wrote it, or bring "
		    "back an older backup with \"postern restore\"",
		    version, store_schema_version());
	return 0;
}

int store_schema_migrate(sqlite3 *db, struct problem *pr)
{
	for (;;) {
		int version = 0;

		/* The version is read inside the transaction: two starting at once migrate one after the other. */
		if (store_sqlite_exec(db, "BEGIN IMMEDIATE", pr) < 0)
			return -1;
		if (pragma_int(db, "PRAGMA user_version", &version, pr) < 0 || check_ours(db, version, pr) < 0) {
			(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return -1;
		}
		if (version == store_schema_version())
			return store_sqlite_exec(db, "COMMIT", pr);
		if (run_step(db, version + 1, pr) < 0)
			return -1;
	}
}
