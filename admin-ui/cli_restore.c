/*
 * postern restore. Everything is copied beside, its sums compared and the store opened and its audit chain checked,
 * before anything that is there is touched; what was there is moved aside, never removed: it holds private keys.
 * Killed in between, the data directory has either the old, the new, or one of them missing with its other half in
 * restore-PID/ or before-restore-.../.
 */
#include "admin-ui/cli_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_restore_stage.h"
#include "gateway/base/file.h"

static const char default_data[] = "/var/lib/postern";
enum { MASTER_OCTETS_MAX = 65536 };

static bool there(const char *dir, const char *name)
{
	char path[CLI_RESTORE_PATH];
	struct stat st;

	return cli_restore_path(path, dir, name) == CLI_OK && lstat(path, &st) == 0;
}

/* 1 when a process has the database open: then its exclusive lock cannot be had. */
static int in_use(const char *data)
{
	char path[CLI_RESTORE_PATH];
	sqlite3 *db = NULL;
	int rc;

	if (cli_restore_path(path, data, "store/store.db") != CLI_OK || !there(data, "store/store.db"))
		return 0;
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc == SQLITE_OK)
		rc =
		    sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK;", NULL, NULL, NULL);
	sqlite3_close(db);
	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED;
}

/* 0, or an exit status after its sentence. */
static int may_begin(const struct cli *c, const char *data)
{
	if (cli_call_running(c))
		return cli_out_fail("the gateway runs (it answers at %s): stop it first", c->socket);
	if (in_use(data))
		return cli_out_fail("%s/store/store.db is in use: stop the gateway first", data);
	if ((there(data, "store/store.db") || there(data, "keys/master")) && !cli_args_has(&c->args, "force"))
		return cli_out_fail(
		    "%s is not empty: it has a store or keys already; --force moves them aside", data);
	return CLI_OK;
}

/* Is the master file there another one? Then what waits in the queue, sealed with it, cannot be opened with the new
 * one. When it is lost, the backup's is the best hope. */
static bool other_master(const char *data, const struct cli_restore_stage *st)
{
	char old[CLI_RESTORE_PATH], new[CLI_RESTORE_PATH];
	struct buf a, b;
	struct problem pr = {0};
	bool other = false;

	if (cli_restore_path(old, data, "keys/master") != CLI_OK ||
	    cli_restore_path(new, st->dir, "keys/master") != CLI_OK)
		return true;
	buf_init(&a, MASTER_OCTETS_MAX);
	buf_init(&b, MASTER_OCTETS_MAX);
	if (there(data, "keys/master"))
		other = file_read(old, &a, &pr) != 0 || file_read(new, &b, &pr) != 0 || a.len != b.len ||
			memcmp(a.p, b.p, a.len) != 0;
	buf_clear(&a);
	buf_clear(&b);
	return other;
}

static int move(const char *from_dir, const char *to_dir, const char *name)
{
	char from[CLI_RESTORE_PATH], to[CLI_RESTORE_PATH];

	if (cli_restore_path(from, from_dir, name) != CLI_OK || cli_restore_path(to, to_dir, name) != CLI_OK)
		return CLI_FAILED;
	if (rename(from, to) != 0)
		return cli_out_fail("%s cannot be moved to %s: %s", from, to, strerror(errno));
	return CLI_OK;
}

/* aside: where it went, "" when nothing was there. */
static int move_old(const char *data, const struct cli_restore_stage *st, char aside[CLI_RESTORE_PATH])
{
	static const char *const names[] = {"store", "keys", "queue"};
	char name[64], now[32];
	bool with_queue = other_master(data, st);
	time_t t = time(NULL);
	struct tm tm;
	int rc = CLI_OK;

	aside[0] = '\0';
	if (!there(data, "store") && !there(data, "keys"))
		return CLI_OK;
	(void)strftime(now, sizeof now, "%Y%m%dT%H%M%SZ", gmtime_r(&t, &tm));
	(void)snprintf(name, sizeof name, "before-restore-%s", now);
	if (cli_restore_path(aside, data, name) != CLI_OK)
		return CLI_FAILED;
	if (mkdir(aside, 0700) != 0)
		return cli_out_fail("%s: %s", aside, strerror(errno));
	for (size_t i = 0; rc == CLI_OK && i < sizeof names / sizeof *names; i++)
		if (there(data, names[i]) && (with_queue || strcmp(names[i], "queue") != 0))
			rc = move(data, aside, names[i]);
	return rc;
}

/* Whose the store is to be: as it was, or the judge's user when there is one and we are root. */
static void owner(const char *data, uid_t *uid_r, gid_t *gid_r)
{
	char path[CLI_RESTORE_PATH];
	struct passwd *pw = getpwnam("postern-judge");
	struct stat st;

	*uid_r = (uid_t)-1;
	*gid_r = (gid_t)-1;
	if (geteuid() != 0)
		return;
	if (cli_restore_path(path, data, "store") == CLI_OK && lstat(path, &st) == 0) {
		*uid_r = st.st_uid;
		*gid_r = st.st_gid;
	} else if (pw != NULL) {
		*uid_r = pw->pw_uid;
		*gid_r = pw->pw_gid;
	}
}

static int put_in_place(const char *data, struct cli_restore_stage *st, char aside[CLI_RESTORE_PATH])
{
	uid_t uid;
	gid_t gid;
	int rc;

	owner(data, &uid, &gid);
	rc = cli_restore_stage_give(st, uid, gid);
	if (rc == CLI_OK)
		rc = move_old(data, st, aside);
	if (rc == CLI_OK)
		rc = move(st->dir, data, "store");
	if (rc == CLI_OK)
		rc = move(st->dir, data, "keys");
	if (rc == CLI_OK)
		rc = cli_restore_sync(data);
	return rc;
}

static void tell(const struct cli *c, const char *data, const struct cli_restore_stage *st, const char *aside)
{
	json_t *o = cli_json_object();

	cli_json_set_str(o, "data", data);
	cli_json_set(o, "keys", json_integer((json_int_t)st->nkeys));
	cli_json_set(o, "partners", json_integer(st->counts.partners));
	cli_json_set(o, "certificates", json_integer(st->counts.certs));
	cli_json_set(o, "previous", aside[0] ? json_string(aside) : json_null());
	if (!cli_out_json(c, o)) {
		cli_out_line("%s: %zu key files, %lld partners, %lld certificates restored.", data, st->nkeys,
		    (long long)st->counts.partners, (long long)st->counts.certs);
		if (aside[0])
			cli_out_line("What was there is in %s.", aside);
		cli_out_line("Start the gateway with the passphrase of the time of the backup.");
	}
	json_decref(o);
}

int cli_restore(struct cli *c)
{
	const char *data = cli_args_get(&c->args, "data"), *env = getenv("POSTERN_DATA");
	struct cli_restore_stage st = {.nkeys = 0};
	char aside[CLI_RESTORE_PATH];
	struct problem pr = {0};
	int rc;

	if (data == NULL)
		data = env != NULL ? env : default_data;
	rc = may_begin(c, data);
	if (rc != CLI_OK)
		return rc;
	if (file_mkdirs(data, 0755, &pr) != 0)
		return cli_out_fail("%s", pr.text);
	rc = cli_restore_stage(&st, c->args.words[0], data);
	if (rc == CLI_OK)
		rc = put_in_place(data, &st, aside);
	if (rc == CLI_OK)
		tell(c, data, &st, aside);
	cli_restore_stage_clear(&st);
	return rc;
}
