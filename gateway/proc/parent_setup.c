#include "gateway/proc/parent_setup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/conf_files.h"
#include "gateway/proc/parent_rcpts.h"
#include "gateway/proc/public_settings.h"
#include "gateway/proc/web_settings.h"

enum { CONF_MAX = 1024 * 1024, PATH_ROOM = 512, BACKLOG = 1024 };

int parent_setup_conf(struct parent *p, struct problem *pr)
{
	struct buf b;
	struct conf *c = NULL;
	struct parent_rcpts *rcpts = NULL;
	int err = -1;

	buf_init(&b, CONF_MAX);
	if (file_read(p->file, &b, pr) == 0 && conf_parse(p->file, buf_str(&b), b.len, &c, pr) == 0 &&
	    conf_files_check(c, pr) == 0 && (rcpts = parent_rcpts_load(c, pr)) != NULL) {
		parent_rcpts_free(p->rcpts);
		conf_free(p->conf);
		free(p->text);
		p->conf = c;
		p->rcpts = rcpts;
		p->text = mem_dup(buf_str(&b), b.len);
		p->text_len = b.len;
		err = 0;
	} else {
		conf_free(c);
	}
	buf_clear(&b);
	return err;
}

static void data_path(const struct parent *p, const char *name, char out[PATH_ROOM])
{
	snprintf(out, PATH_ROOM, "%s/%s", conf_top(p->conf)->data_directory, name);
}

int parent_setup_user(
    const struct parent *p, enum control_role role, unsigned *uid_r, unsigned *gid_r, struct problem *pr)
{
	const char *how = conf_top(p->conf)->users;
	char name[64];
	struct passwd *pw;
	unsigned base;

	*uid_r = *gid_r = 0;
	if (geteuid() != 0 || strcmp(how, "same") == 0)
		return 0;
	if (conf_users_base(how, &base)) {
		*uid_r = *gid_r = base + (unsigned)role;
		return 0;
	}
	snprintf(name, sizeof(name), "postern-%s", control_role_word(role));
	pw = getpwnam(name);
	if (pw == NULL)
		return problem_perm(pr,
		    "there is no user %s: run systemd-sysusers (make install puts its file in place), or set users = "
		    "uid:N",
		    name);
	*uid_r = pw->pw_uid;
	*gid_r = pw->pw_gid;
	return 0;
}

/* What root put there (postern restore, a copy by hand) becomes the role's. A link that a role made to somebody
 * else's file is not root's alone, and stays. */
static int own_files(const char *path, unsigned uid, unsigned gid, struct problem *pr)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int err = 0;

	if (d == NULL)
		return problem_perm(pr, "%s: %s", path, strerror(errno));
	while (err == 0 && (e = readdir(d)) != NULL) {
		struct stat st;
		int fd = openat(dirfd(d), e->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 && st.st_nlink == 1 &&
		    fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
			err = problem_perm(
			    pr, "%s/%s cannot be given to user %u: %s", path, e->d_name, uid, strerror(errno));
		close(fd);
	}
	closedir(d);
	return err;
}

static int one_dir(const struct parent *p, const char *name, enum control_role owner, struct problem *pr)
{
	char path[PATH_ROOM];
	unsigned uid, gid;

	data_path(p, name, path);
	if (file_mkdirs(path, 0700, pr) != 0)
		return -1;
	if (owner == ROLE_PARENT || geteuid() != 0)
		return 0;
	if (parent_setup_user(p, owner, &uid, &gid, pr) != 0)
		return -1;
	if (uid != 0 && chown(path, uid, gid) != 0)
		return problem_perm(pr, "%s cannot be given to user %u: %s", path, uid, strerror(errno));
	return uid != 0 ? own_files(path, uid, gid, pr) : 0;
}

int parent_setup_lock(const struct parent *p, struct problem *pr)
{
	const char *top = conf_top(p->conf)->data_directory;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_ROOM];
	int fd;

	data_path(p, "lock", path);
	if (file_mkdirs(top, 0755, pr) != 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return problem_perm(pr, "%s: %s", path, strerror(errno));
	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0; /* the descriptor stays open */
	close(fd);
	return problem_perm(pr,
	    "data-directory %s is in use by another posternd; stop it first, or give this one a directory of its own",
	    top);
}

int parent_setup_dirs(const struct parent *p, struct problem *pr)
{
	const char *top = conf_top(p->conf)->data_directory;

	if (file_mkdirs(top, 0755, pr) != 0)
		return -1;
	if (one_dir(p, "keys", ROLE_PARENT, pr) != 0 || one_dir(p, "store", ROLE_JUDGE, pr) != 0 ||
	    one_dir(p, "scout", ROLE_SCOUT, pr) != 0 || one_dir(p, "queue", ROLE_RELAY, pr) != 0)
		return -1;
	return one_dir(p, "queue/spool", ROLE_RELAY, pr);
}

/* ---- sockets ---- */

static int listen_at(const char *text, struct problem *pr)
{
	char host[256];
	unsigned port;
	struct sockaddr_storage ss;
	int one = 1;

	if (conf_hostport(text, 25, host, &ss, &port, pr) != 0)
		return -1;
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (ss.ss_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		if (bind(fd, (struct sockaddr *)&ss,
			ss.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) == 0 &&
		    listen(fd, BACKLOG) == 0)
			return fd;
	}
	problem_perm(pr, "cannot listen at %s: %s; is another server there already?", text, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The place among the open ones, -1 none; each is taken once. */
static int already_open(const struct parent *p, const char *at, const bool taken[PARENT_LISTENERS_MAX])
{
	for (size_t i = 0; i < p->nlisten; i++)
		if (!taken[i] && strcmp(p->listen_at[i], at) == 0)
			return (int)i;
	return -1;
}

/* Those of the relay, then those of public and web, when they are there. */
static size_t listeners(const struct conf *c)
{
	const struct public_settings *set = conf_section(c, "public");
	const struct web_settings *web = conf_section(c, "web");

	return conf_listeners(c) + (set->address[0] != '\0') + (web->address[0] != '\0');
}

enum control_role parent_setup_listens(const struct conf *c, size_t i)
{
	const struct public_settings *set = conf_section(c, "public");

	if (i < conf_listeners(c))
		return ROLE_RELAY;
	return i == conf_listeners(c) && set->address[0] != '\0' ? ROLE_PUBLIC : ROLE_WEB;
}

static const char *address_of(const struct conf *c, size_t i)
{
	const struct public_settings *set = conf_section(c, "public");
	const struct web_settings *web = conf_section(c, "web");

	switch (parent_setup_listens(c, i)) {
	case ROLE_RELAY:
		return conf_listener(c, i, NULL)->address;
	case ROLE_PUBLIC:
		return set->address;
	default:
		return web->address;
	}
}

static void replace_listeners(struct parent *p, const int *fds, size_t n, const bool taken[PARENT_LISTENERS_MAX])
{
	for (size_t i = 0; i < p->nlisten; i++) {
		if (!taken[i])
			close(p->listen[i]);
		free(p->listen_at[i]);
	}
	for (size_t i = 0; i < n; i++) {
		p->listen[i] = fds[i];
		p->listen_at[i] = mem_str(address_of(p->conf, i));
	}
	p->nlisten = n;
}

int parent_setup_listen(struct parent *p, struct problem *pr)
{
	int fds[PARENT_LISTENERS_MAX];
	bool taken[PARENT_LISTENERS_MAX] = {false}, made[PARENT_LISTENERS_MAX] = {false};
	size_t n = listeners(p->conf), i;

	if (n > PARENT_LISTENERS_MAX)
		return problem_perm(pr, "%s: more than %d listeners", p->file, PARENT_LISTENERS_MAX);
	for (i = 0; i < n; i++) {
		const char *at = address_of(p->conf, i);
		int old = already_open(p, at, taken);

		made[i] = old < 0;
		fds[i] = old < 0 ? listen_at(at, pr) : p->listen[old];
		if (fds[i] < 0)
			break;
		if (old >= 0)
			taken[old] = true;
	}
	if (i == n) {
		replace_listeners(p, fds, n, taken);
		return 0;
	}
	while (i-- > 0)
		if (made[i])
			close(fds[i]);
	return -1;
}

static int control_access(const struct parent *p, const char *path, struct problem *pr)
{
	const char *group = conf_top(p->conf)->control_group;
	struct group *gr;

	if (group[0] == '\0')
		return chmod(path, 0600);
	gr = getgrnam(group);
	if (gr == NULL)
		return problem_perm(pr, "control-group %s does not exist", group);
	if (chown(path, (uid_t)-1, gr->gr_gid) != 0 || chmod(path, 0660) != 0)
		return problem_perm(pr, "%s cannot be given to group %s: %s", path, group, strerror(errno));
	return 0;
}

/* Whether somebody takes connections at the socket: then it must not be removed. */
static bool answers(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

int parent_setup_control(struct parent *p, struct problem *pr)
{
	const char *path = conf_top(p->conf)->control_socket;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char dir[PATH_ROOM];
	char *slash;

	if (mem_copy_str(un.sun_path, sizeof(un.sun_path), path) != 0 || mem_copy_str(dir, sizeof(dir), path) != 0)
		return problem_perm(pr, "control-socket %s is too long", path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		if (file_mkdirs(dir, 0755, pr) != 0)
			return -1;
	}
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return problem_perm(pr, "no UNIX socket: %s", strerror(errno));
	if (answers(&un)) {
		close(fd);
		return problem_perm(pr,
		    "control-socket %s: a running gateway answers there; stop it first, or give this one a socket of "
		    "its own",
		    path);
	}
	unlink(path);
	mode_t old = umask(0177);
	int err = bind(fd, (struct sockaddr *)&un, sizeof(un));
	umask(old);
	if (err != 0 || listen(fd, 64) != 0 || control_access(p, path, pr) != 0) {
		if (pr->cls == PROBLEM_NONE)
			problem_perm(pr, "control-socket %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	p->control = fd;
	return 0;
}

/* ---- keys ---- */

const char *parent_setup_passphrase_path(const struct parent *p)
{
	static char path[PATH_ROOM];
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (conf_top(p->conf)->passphrase_file[0])
		return conf_top(p->conf)->passphrase_file;
	snprintf(path, sizeof(path), "%s/postern-passphrase", dir == NULL ? "/run/credentials" : dir);
	return path;
}

int parent_setup_passphrase(const struct parent *p, struct buf *b, struct problem *pr)
{
	const char *path = parent_setup_passphrase_path(p);
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT ? 0 : problem_temp(pr, "passphrase file %s: %s", path, strerror(errno));
	if (st.st_mode & 077)
		return problem_temp(pr, "passphrase file %s can be read by others: chmod 600 it", path);
	if (file_read(path, b, pr) != 0)
		return -1;
	while (b->len > 0 && (b->p[b->len - 1] == '\n' || b->p[b->len - 1] == '\r'))
		b->len--;
	return b->len > 0 ? 1 : problem_temp(pr, "passphrase file %s is empty", path);
}

static bool good_name(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 80 || name[0] == '.')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

int parent_setup_keyfile(const struct parent *p, const char *name, const void *data, size_t n, struct problem *pr)
{
	char path[PATH_ROOM], rel[128];

	if (!good_name(name))
		return problem_perm(pr, "a key file with a forbidden name");
	snprintf(rel, sizeof(rel), "keys/%s", name);
	data_path(p, rel, path);
	/* a damaged key file is not known to the keeper, which may then think its name free: never written over */
	if (access(path, F_OK) == 0)
		return problem_perm(pr, "%s exists already: move it away if it is damaged", path);
	return file_write(path, data, n, 0600, pr);
}

int parent_setup_keyfile_drop(const struct parent *p, const char *name, struct problem *pr)
{
	char path[PATH_ROOM], rel[128];
	size_t n = strlen(name);

	if (!good_name(name) || n < 5 || strcmp(name + n - 4, ".key") != 0) /* the master file stays */
		return problem_perm(pr, "a key file with a forbidden name");
	snprintf(rel, sizeof(rel), "keys/%s", name);
	data_path(p, rel, path);
	return file_remove(path, pr);
}

int parent_setup_keyfiles(const struct parent *p, void (*fn)(void *ctx, const char *name, const struct buf *content),
    void *ctx, struct problem *pr)
{
	char dir[PATH_ROOM], path[PATH_ROOM + 300];
	struct dirent *e;
	int err = 0;

	data_path(p, "keys", dir);
	DIR *d = opendir(dir);
	if (d == NULL)
		return problem_perm(pr, "%s: %s", dir, strerror(errno));
	while (err == 0 && (e = readdir(d)) != NULL) {
		struct buf b;

		if (!good_name(e->d_name))
			continue;
		buf_init(&b, CONTROL_FILE_MAX);
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		err = file_read(path, &b, pr);
		if (err == 0)
			fn(ctx, e->d_name, &b);
		buf_clear(&b);
	}
	closedir(d);
	return err;
}
