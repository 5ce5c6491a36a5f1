#include "interop/kit/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interop/kit/result.h"
#include "interop/kit/result_check.h"
#include "interop/kit/visible.h"

#define FORMAT "postern-interop-manifest-1"
#define FILES_MAX 100000
#define FILE_MAX ((int64_t)256 * 1024 * 1024)
#define MANIFEST_MAX (64 * 1024 * 1024)
#define PATH_OCTETS 512
#define PARTS_MAX 8
#define SAID_MAX 100
#define N(a) (sizeof(a) / sizeof(*(a)))

const char *const manifest_later[] = {"manifest.json", "manifest.p7s", "countersignature.eml",
    "countersignature.sealed.eml", "countersignature.pem", "countersignature.json", "countersignature.p7s", NULL};

static bool comes_later(const char *path)
{
	for (size_t i = 0; manifest_later[i]; i++)
		if (!strcmp(path, manifest_later[i]))
			return true;
	return false;
}

bool manifest_path(const char *path)
{
	size_t n = strlen(path), parts = 0;

	if (n == 0 || n > PATH_OCTETS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (path[i] < ' ' || path[i] > '~' || path[i] == '\\')
			return false;
	for (const char *p = path;; p++) {
		size_t len = strcspn(p, "/");

		if (len == 0 || len > 255 || ++parts > PARTS_MAX)
			return false;
		if (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.')))
			return false;
		p += len;
		if (!*p)
			return true;
	}
}

static int hash_open(int fd, EVP_MD_CTX *md, int64_t *size, const char *path, struct buf *why)
{
	char part[65536];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(why, "%s is not a file", path);
	if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		die("SHA-256 does not work");
	for (*size = 0; (n = read(fd, part, sizeof(part))) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(why, "%s: %s", path, strerror(errno));
		*size += n;
		if (*size > FILE_MAX)
			return fail(why, "%s is larger than 256 MiB", path);
		EVP_DigestUpdate(md, part, (size_t)n);
	}
	return 0;
}

int manifest_file_hash(const char *path, char hex[65], int64_t *size, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;
	EVP_MD_CTX *md;
	unsigned char sum[32];
	struct buf b = {0};
	int64_t octets;

	if (fd < 0)
		return fail(why, "%s: %s", path, strerror(errno));
	md = EVP_MD_CTX_new();
	if (!md)
		die("out of memory");
	rc = hash_open(fd, md, &octets, path, why);
	if (rc == 0) {
		EVP_DigestFinal_ex(md, sum, NULL);
		hex_add(&b, sum, sizeof(sum));
		memcpy(hex, b.p, 65);
		if (size)
			*size = octets;
		buf_free(&b);
	}
	EVP_MD_CTX_free(md);
	close(fd);
	return rc;
}

struct walk {
	const char *dir;
	bool later;
	json_t *files;
	struct buf *why;
};

static int walk(const struct walk *w, const char *below, int depth);

/* A file or a directory at path, which is relative to the run. */
static int walk_entry(const struct walk *w, const char *path, int depth)
{
	char *full = text_make("%s/%s", w->dir, path), hex[65];
	struct stat st;
	int64_t size = 0;
	int rc;

	if (!w->later && comes_later(path)) {
		rc = 0;
	} else if (!manifest_path(path)) {
		struct buf b = {0};

		visible_add(&b, path, strlen(path));
		rc = fail(w->why, "%s is no name for a file of a report", b.p);
		buf_free(&b);
	} else if (lstat(full, &st) < 0) {
		rc = fail(w->why, "%s: %s", full, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		rc = walk(w, path, depth + 1);
	} else if (!S_ISREG(st.st_mode)) {
		rc = fail(w->why, "%s is neither a file nor a directory", path);
	} else if (json_object_size(w->files) >= FILES_MAX) {
		rc = fail(w->why, "there are more than %d files", FILES_MAX);
	} else if ((rc = manifest_file_hash(full, hex, &size, w->why)) == 0) {
		json_object_set_new(w->files, path,
		    json_pack("{s:s,s:I,s:s}", "path", path, "size", (json_int_t)size, "sha256", hex));
	}
	free(full);
	return rc;
}

static int walk(const struct walk *w, const char *below, int depth)
{
	char *full = *below ? text_make("%s/%s", w->dir, below) : text_copy(w->dir);
	DIR *d = depth > PARTS_MAX ? NULL : opendir(full);
	struct dirent *e;
	int rc = d ? 0 : fail(w->why, "%s: %s", full, depth > PARTS_MAX ? "too deep" : strerror(errno));

	free(full);
	while (d && rc == 0 && (e = readdir(d))) {
		char *path;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		path = *below ? text_make("%s/%s", below, e->d_name) : text_copy(e->d_name);
		rc = walk_entry(w, path, depth);
		free(path);
	}
	if (d)
		closedir(d);
	return rc;
}

json_t *manifest_files(const char *dir, bool later, struct buf *why)
{
	struct walk w = {dir, later, json_object(), why};

	if (walk(&w, "", 1) == 0)
		return w.files;
	json_decref(w.files);
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* the names of an object's members, sorted; free the list alone */
static const char **names_sorted(json_t *files, size_t *n)
{
	const char **names = need((json_object_size(files) + 1) * sizeof(*names)), *name;
	json_t *one;

	*n = 0;
	json_object_foreach(files, name, one) names[(*n)++] = name;
	qsort(names, *n, sizeof(*names), by_text);
	return names;
}

int manifest_make(const char *dir, const char *run_id, struct buf *out, struct buf *why)
{
	json_t *files = manifest_files(dir, false, why), *list = json_array(), *v;
	const char **names;
	char *text;
	size_t n;

	if (!files) {
		json_decref(list);
		return -1;
	}
	names = names_sorted(files, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append(list, json_object_get(files, names[i]));
	v = json_pack("{s:s,s:s,s:o}", "format", FORMAT, "run", run_id, "files", list);
	text = v ? json_dumps(v, JSON_INDENT(1)) : NULL;
	if (!text)
		die("out of memory");
	buf_adds(out, text);
	buf_adds(out, "\n");
	free(text);
	free(names);
	json_decref(v);
	json_decref(files);
	return 0;
}

static int check_files(const json_t *list, struct buf *why)
{
	static const struct member members[] = {{"path", M_TEXT}, {"size", M_LINE}, {"sha256", M_SHA256}};
	const char *before = "";

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *f = json_array_get(list, i);
		const char *path = result_member(f, "path");

		if (result_check(f, members, N(members), "a file of manifest.json", why) < 0)
			return -1;
		if (!manifest_path(path) || comes_later(path))
			return fail(why, "manifest.json lists a path that no file of a report can have");
		if (strcmp(before, path) >= 0)
			return fail(why, "manifest.json is not sorted by path, or lists %s twice", path);
		before = path;
	}
	return 0;
}

json_t *manifest_read(const char *dir, struct buf *why)
{
	static const struct member members[] = {{"format", M_TEXT}, {"run", M_RUN}, {"files", M_LIST}};
	char *path = text_make("%s/manifest.json", dir);
	json_t *v = json_file(path, MANIFEST_MAX, why);
	int rc = 0;

	free(path);
	if (!v)
		return NULL;
	if (result_check(v, members, N(members), "manifest.json", why) < 0)
		rc = -1;
	else if (strcmp(result_member(v, "format"), FORMAT) != 0)
		rc = fail(why, "manifest.json is of a format that is not known here");
	else
		rc = check_files(json_object_get(v, "files"), why);
	if (rc == 0)
		return v;
	json_decref(v);
	return NULL;
}

size_t manifest_compare(const char *dir, const json_t *manifest, struct buf *why)
{
	const json_t *list = json_object_get(manifest, "files");
	json_t *there = manifest_files(dir, false, why), *one;
	size_t wrong = 0;
	const char *name;

	if (!there)
		return 1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *f = json_array_get(list, i);
		const char *path = result_member(f, "path");

		one = json_object_get(there, path);
		if ((!one || !json_equal(one, f)) && ++wrong <= SAID_MAX)
			fail(why, one ? "%s was changed" : "%s is missing", path);
		json_object_del(there, path);
	}
	json_object_foreach(there, name, one) if (++wrong <= SAID_MAX)
	    fail(why, "%s was added and is not in the manifest", name);
	json_decref(there);
	return wrong;
}
