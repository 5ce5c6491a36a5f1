/*
 * postern backup. The MANIFEST is written last and says what belongs to the backup: without it a directory is none.
 * The keys are in it as sealed as on the disk; the passphrase is not.
 */
#include "admin-ui/cli_backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "certstore/manifest.h"
#include "gateway/base/encode.h"
#include "gateway/base/file.h"
#include "gateway/base/mem.h"

enum { PATH_ROOM = 4096 };

struct backup {
	const char *dir;
	struct manifest files;
	long long octets;
};

static int path_in(const struct backup *b, const char *name, char out[PATH_ROOM])
{
	int n = snprintf(out, PATH_ROOM, "%s/%s", b->dir, name);

	return n > 0 && n < PATH_ROOM ? CLI_OK : cli_out_fail("the name of the directory is too long");
}

static int make_dir(const char *dir)
{
	struct problem pr = {0};
	struct dirent *e;
	DIR *d;
	int n = 0;

	if (file_mkdirs(dir, 0700, &pr) != 0)
		return cli_out_fail("%s", pr.text);
	d = opendir(dir);
	if (d == NULL)
		return cli_out_fail("%s: %s", dir, strerror(errno));
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n == 0 ? CLI_OK : cli_out_fail("%s is not empty: a backup wants a directory of its own", dir);
}

static int save_store(struct backup *b, int from)
{
	char path[PATH_ROOM], sum[65];
	struct problem pr = {0};
	long long octets = 0;
	int to, err;

	if (path_in(b, "store.db", path) != CLI_OK)
		return CLI_FAILED;
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return cli_out_fail("%s: %s", path, strerror(errno));
	err = lseek(from, 0, SEEK_SET) < 0 ? problem_temp(&pr, "%s", strerror(errno))
					   : manifest_copy(from, to, sum, &octets, &pr);
	if (err == 0 && fsync(to) != 0)
		err = problem_temp(&pr, "cannot sync: %s", strerror(errno));
	if (close(to) != 0 && err == 0)
		err = problem_temp(&pr, "cannot close: %s", strerror(errno));
	if (err != 0)
		return cli_out_fail("%s: %s", path, pr.text);
	b->octets += octets;
	return manifest_add(&b->files, "store.db", sum) == 0 ? CLI_OK : CLI_FAILED;
}

static int save_key(struct backup *b, const char *name, const uint8_t *p, size_t n)
{
	char path[PATH_ROOM], sum[65];
	struct problem pr = {0};
	long long octets;
	int fd = file_memfd("key", p, n), err;

	if (fd < 0)
		return cli_out_fail("no memory file: %s", strerror(errno));
	err = manifest_copy(fd, -1, sum, &octets, &pr);
	close(fd);
	if (err != 0)
		return cli_out_fail("%s: %s", name, pr.text);
	if (manifest_add(&b->files, name, sum) != 0)
		return cli_out_fail("the gateway sent a key file with a forbidden name");
	if (path_in(b, name, path) != CLI_OK)
		return CLI_FAILED;
	b->octets += octets;
	return file_write(path, p, n, 0600, &pr) == 0 ? CLI_OK : cli_out_fail("%s", pr.text);
}

static int save_keys(struct backup *b, const json_t *keys)
{
	char dir[PATH_ROOM];
	struct problem pr = {0};
	const json_t *k;
	size_t i;
	int rc = path_in(b, "keys", dir);

	if (rc == CLI_OK && file_mkdirs(dir, 0700, &pr) != 0)
		rc = cli_out_fail("%s", pr.text);
	json_array_foreach(keys, i, k)
	{
		const char *text = cli_json_str(k, "content");
		size_t cap = strlen(text) / 4 * 3 + 3;
		uint8_t *p = mem_new(cap);
		long n = encode_unb64(text, strlen(text), p, cap);
		char name[96];

		(void)snprintf(name, sizeof name, "keys/%.90s", cli_json_str(k, "name"));
		if (rc == CLI_OK)
			rc = n > 0 ? save_key(b, name, p, (size_t)n) : cli_out_fail("%s came empty or damaged", name);
		free(p);
	}
	return rc;
}

static int save_manifest(struct backup *b)
{
	char path[PATH_ROOM], now[21], comment[64];
	struct problem pr = {0};
	struct buf text;
	int rc = path_in(b, "MANIFEST", path);

	encode_time((int64_t)time(NULL), now);
	(void)snprintf(comment, sizeof comment, "taken %s", now);
	buf_init(&text, MANIFEST_OCTETS_MAX);
	if (rc == CLI_OK &&
	    (manifest_write(&b->files, comment, &text) != 0 || file_write(path, text.p, text.len, 0600, &pr) != 0))
		rc = cli_out_fail("%s", pr.text[0] ? pr.text : "the MANIFEST became too long");
	buf_clear(&text);
	return rc;
}

static int tell(const struct cli *c, const struct backup *b)
{
	json_t *o = cli_json_object();
	char size[16];

	cli_json_set_str(o, "directory", b->dir);
	cli_json_set(o, "files", json_integer((json_int_t)b->files.n));
	cli_json_set(o, "octets", json_integer(b->octets));
	if (!cli_out_json(c, o)) {
		cli_out_line(
		    "%s: %zu files, %s, and their MANIFEST.", b->dir, b->files.n, cli_out_size(b->octets, size));
		cli_out_wrap("", 0,
		    "The keys in it are sealed with the passphrase, which is not in it: keep the passphrase in "
		    "another place. Mail that waits in the queue is not in it "
		    "either.");
	}
	json_decref(o);
	return CLI_OK;
}

int cli_backup(struct cli *c)
{
	struct backup b = {.dir = c->args.words[0]};
	json_t *data;
	int fd, rc = make_dir(b.dir);

	if (rc != CLI_OK)
		return rc;
	rc = cli_call_file(c, "backup.take", NULL, &data, &fd);
	if (rc != CLI_OK)
		return rc;
	rc = fd >= 0 ? save_store(&b, fd) : cli_out_fail("the gateway's answer brings no copy of the store");
	if (rc == CLI_OK)
		rc = save_keys(&b, json_object_get(data, "keys"));
	if (rc == CLI_OK)
		rc = save_manifest(&b);
	if (rc == CLI_OK)
		rc = tell(c, &b);
	if (fd >= 0)
		close(fd);
	manifest_clear(&b.files);
	json_decref(data);
	return rc;
}
