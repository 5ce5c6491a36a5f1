/* A backup copied beside its destination and checked. The sum is of what was copied, not of what was there a moment
 * before. */
#include "admin-ui/cli_restore_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin-ui/cli_out.h"
#include "gateway/base/file.h"

int cli_restore_path(char out[CLI_RESTORE_PATH], const char *dir, const char *name)
{
	int n = snprintf(out, CLI_RESTORE_PATH, "%s/%s", dir, name);

	return n > 0 && n < CLI_RESTORE_PATH ? CLI_OK : cli_out_fail("the name of the directory is too long");
}

int cli_restore_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) != 0;

	if (err)
		(void)cli_out_fail("%s cannot be synced: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err ? CLI_FAILED : CLI_OK;
}

static int read_manifest(struct cli_restore_stage *st, const char *from)
{
	char path[CLI_RESTORE_PATH];
	struct problem pr = {0};
	struct buf b;
	int rc = cli_restore_path(path, from, "MANIFEST");

	buf_init(&b, MANIFEST_OCTETS_MAX);
	if (rc == CLI_OK && file_read(path, &b, &pr) != 0)
		rc = cli_out_fail("%s: is this the directory of a backup?", pr.text);
	else if (rc == CLI_OK && manifest_parse(buf_str(&b), b.len, &st->files, &pr) != 0)
		rc = cli_out_fail("%s: %s", path, pr.text);
	buf_clear(&b);
	return rc;
}

static int copy(int in, int out, const struct manifest_file *f, struct problem *pr)
{
	long long octets;
	char sum[65];

	if (manifest_copy(in, out, sum, &octets, pr) != 0)
		return -1;
	if (strcmp(sum, f->sha256) != 0)
		return problem_perm(pr, "its SHA-256 is not the one in MANIFEST: the backup is damaged, use another");
	return fsync(out) == 0 ? 0 : problem_temp(pr, "cannot sync the copy: %s", strerror(errno));
}

static int copy_file(struct cli_restore_stage *st, const char *from, const struct manifest_file *f)
{
	bool key = strncmp(f->path, "keys/", 5) == 0;
	char source[CLI_RESTORE_PATH], to[CLI_RESTORE_PATH];
	struct problem pr = {0};
	int in, out, err = -1;

	if (cli_restore_path(source, from, f->path) != CLI_OK ||
	    cli_restore_path(to, st->dir, key ? f->path : "store/store.db") != CLI_OK)
		return CLI_FAILED;
	in = open(source, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return cli_out_fail("%s: %s", source, strerror(errno));
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		problem_temp(&pr, "%s cannot be made: %s", to, strerror(errno));
	else
		err = copy(in, out, f, &pr);
	if (out >= 0 && close(out) != 0 && err == 0)
		err = problem_temp(&pr, "cannot close the copy: %s", strerror(errno));
	close(in);
	st->nkeys += key;
	return err == 0 ? CLI_OK : cli_out_fail("%s: %s", source, pr.text);
}

static int make_dirs(struct cli_restore_stage *st, const char *data)
{
	static const char *const names[] = {"store", "keys"};
	char name[40], path[CLI_RESTORE_PATH];
	struct problem pr = {0};

	(void)snprintf(name, sizeof name, "restore-%ld", (long)getpid());
	if (cli_restore_path(st->dir, data, name) != CLI_OK)
		return CLI_FAILED;
	if (mkdir(st->dir, 0700) != 0) {
		(void)cli_out_fail("%s: %s", st->dir, strerror(errno));
		st->dir[0] = '\0';
		return CLI_FAILED;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (cli_restore_path(path, st->dir, names[i]) != CLI_OK)
			return CLI_FAILED;
		if (file_mkdirs(path, 0700, &pr) != 0)
			return cli_out_fail("%s", pr.text);
	}
	return CLI_OK;
}

/* Opens it as the gateway will: a schema newer than this program, a broken chain or a damaged file are found now. */
static int check_store(struct cli_restore_stage *st)
{
	char dir[CLI_RESTORE_PATH];
	struct problem pr = {0};
	struct store *s;
	int err;

	if (cli_restore_path(dir, st->dir, "store") != CLI_OK)
		return CLI_FAILED;
	s = store_open(dir, &pr);
	if (s == NULL)
		return cli_out_fail("the store in the backup cannot be used: %s", pr.text);
	err = store_audit_verify(s, &pr) != 0 || store_count(s, &st->counts, &pr) != 0;
	store_close(s);
	return err ? cli_out_fail("the store in the backup cannot be used: %s", pr.text) : CLI_OK;
}

int cli_restore_stage(struct cli_restore_stage *st, const char *from, const char *data)
{
	char keys[CLI_RESTORE_PATH];
	int rc = read_manifest(st, from);

	if (rc == CLI_OK)
		rc = make_dirs(st, data);
	for (size_t i = 0; rc == CLI_OK && i < st->files.n; i++)
		rc = copy_file(st, from, &st->files.files[i]);
	if (rc == CLI_OK)
		rc = check_store(st);
	if (rc == CLI_OK)
		rc = cli_restore_path(keys, st->dir, "keys");
	return rc == CLI_OK ? cli_restore_sync(keys) : rc;
}

/* What opening it may have made beside it goes along. */
int cli_restore_stage_give(const struct cli_restore_stage *st, uid_t uid, gid_t gid)
{
	static const char *const names[] = {"store", "store/store.db", "store/store.db-wal", "store/store.db-shm"};
	char path[CLI_RESTORE_PATH];

	if (uid == (uid_t)-1)
		return CLI_OK;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (cli_restore_path(path, st->dir, names[i]) != CLI_OK)
			return CLI_FAILED;
		if (lchown(path, uid, gid) != 0 && errno != ENOENT)
			return cli_out_fail(
			    "%s cannot be given to user %u: %s", path, (unsigned)uid, strerror(errno));
	}
	return CLI_OK;
}

static void remove_one(const struct cli_restore_stage *st, const char *name)
{
	char path[CLI_RESTORE_PATH];

	if (cli_restore_path(path, st->dir, name) == CLI_OK && unlink(path) != 0 && errno == EISDIR)
		(void)rmdir(path);
}

void cli_restore_stage_clear(struct cli_restore_stage *st)
{
	static const char *const names[] = {
	    "store/store.db", "store/store.db-wal", "store/store.db-shm", "store", "keys"};

	if (st->dir[0]) {
		for (size_t i = 0; i < st->files.n; i++)
			if (strncmp(st->files.files[i].path, "keys/", 5) == 0)
				remove_one(st, st->files.files[i].path);
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			remove_one(st, names[i]);
		(void)rmdir(st->dir);
	}
	manifest_clear(&st->files);
}
