#include "interop/kit/second.h"

#include "interop/kit/second_place.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STOP_MS = 4000,
	LIMIT_MS = 30000,  /* of a question */
	START_MS = 120000, /* of the first answer: a program may have to be compiled */
	ANSWER_MAX = 4 << 20,
};

struct second {
	pthread_mutex_t lock;
	char *program, *name;
	char *dir;   /* of this process alone: the message that is asked about, and keys */
	int held;    /* its lock */
	char *cache; /* kept between runs */
	pid_t pid;   /* also the process group; 0: not running */
	int fd;	     /* its standard input and output */
	struct buf got;
	json_int_t id;
};

/* --- the program ------------------------------------------------------------------------------------------------ */

/* Its standard input ends, then it is told to end, then it is ended: it may have directories and processes to clear
 * away. */
static void stop(struct second *j)
{
	if (j->pid <= 0)
		return;
	close(j->fd);
	for (int i = 0; i < STOP_MS / 10; i++) {
		pid_t gone = waitpid(j->pid, NULL, WNOHANG);

		if (gone == j->pid || (gone < 0 && errno != EINTR))
			break;
		if (i == STOP_MS / 20)
			kill(-j->pid, SIGTERM);
		if (i == STOP_MS / 10 - 1) {
			kill(-j->pid, SIGKILL);
			while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
		pause_ms(10);
	}
	j->pid = 0;
	j->fd = -1;
	buf_clear(&j->got);
}

static int spawn(struct second *j, int fd)
{
	char *const argv[] = {j->program, NULL}, **env = second_place_environment(j->cache),
		    *log = text_make("%s/log", j->cache);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t set;
	int rc;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, fd, 0);
	posix_spawn_file_actions_adddup2(&files, fd, 1);
	posix_spawn_file_actions_addopen(&files, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawnattr_init(&how);
	posix_spawnattr_setpgroup(&how, 0);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&how, &set);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	posix_spawnattr_setsigdefault(&how, &set);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&j->pid, j->program, &files, &how, argv, env);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	second_place_environment_free(env);
	free(log);
	return rc;
}

/* Writes one line; -1: it is gone, or does not read within the time. */
static int tell(struct second *j, const struct buf *line, int64_t until_us)
{
	size_t done = 0;

	while (done < line->n) {
		ssize_t w = send(j->fd, line->p + done, line->n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		int64_t left = (until_us - ticks_us()) / 1000;
		struct pollfd p = {.fd = j->fd, .events = POLLOUT};

		if (w >= 0)
			done += (size_t)w;
		else if (errno != EINTR && errno != EAGAIN)
			return -1;
		else if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -1;
	}
	return 0;
}

/* The next line. 0; 1: it is gone; -1 with why: too late or too long. */
static int hear(struct second *j, int64_t until_us, json_t **out, struct buf *why)
{
	char part[16384], *end;
	json_error_t bad;

	while (!(end = j->got.n ? memchr(j->got.p, '\n', j->got.n) : NULL)) {
		int64_t left = (until_us - ticks_us()) / 1000;
		struct pollfd p = {.fd = j->fd, .events = POLLIN};
		ssize_t n;

		if (left <= 0)
			return fail(why, "the second judge gave no answer in time");
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = recv(j->fd, part, sizeof(part), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 1;
		buf_add(&j->got, part, (size_t)n);
		if (j->got.n > ANSWER_MAX)
			return fail(why, "the second judge's answer is longer than %d MiB", ANSWER_MAX >> 20);
	}
	*out = json_loadb(j->got.p, (size_t)(end - j->got.p), JSON_REJECT_DUPLICATES, &bad);
	buf_clear(&j->got);
	return json_is_object(*out) ? 0 : fail(why, "the second judge's answer is no JSON object");
}

/* One question to the program that runs. As hear; what goes wrong ends the program. */
static int exchange(struct second *j, json_t *question, int limit_ms, json_t **out, struct buf *why)
{
	int64_t until = ticks_us() + (int64_t)limit_ms * 1000;
	struct buf line = {0};
	char *text;
	int rc;

	json_object_set_new(question, "id", json_integer(++j->id));
	text = json_dumps(question, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (!text)
		return fail(why, "a question that is no UTF-8");
	buf_addf(&line, "%s\n", text);
	free(text);
	rc = tell(j, &line, until) < 0 ? 1 : hear(j, until, out, why);
	buf_free(&line);
	if (rc == 0 && json_integer_value(json_object_get(*out, "id")) != j->id)
		rc = fail(why, "the second judge answered another question");
	if (rc != 0) {
		json_decref(*out);
		*out = NULL;
		stop(j);
	}
	return rc;
}

/* The last line that it wrote to its log, for a sentence. */
static void add_log(const struct second *j, struct buf *why)
{
	char *path = text_make("%s/log", j->cache), *line;
	struct buf log = {0};

	if (file_read(path, &log, NULL) == 0 && log.n > 0) {
		while (log.n > 0 && log.p[log.n - 1] == '\n')
			log.p[--log.n] = 0;
		line = memrchr(log.p, '\n', log.n);
		fail(why, "%.300s", line ? line + 1 : log.p);
	}
	buf_free(&log);
	free(path);
}

/* Starts it and asks for its name. 0 or -1 with why. */
static int start(struct second *j, struct buf *why)
{
	int pair[2], rc;
	json_t *question, *answer = NULL;
	const char *name;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(why, "socketpair: %s", strerror(errno));
	rc = spawn(j, pair[1]);
	close(pair[1]);
	if (rc != 0) {
		j->pid = 0;
		close(pair[0]);
		return fail(why, "%s: %s", j->program, strerror(rc));
	}
	j->fd = pair[0];
	question = json_pack("{s:b}", "hello", 1);
	rc = exchange(j, question, START_MS, &answer, why);
	json_decref(question);
	name = json_string_value(json_object_get(answer, "name"));
	if (rc == 0 && name && !j->name)
		j->name = text_copy(name);
	if (rc == 0 && !name)
		rc = fail(why, "%s does not say its name", j->program);
	if (rc > 0) {
		fail(why, "%s ended before it answered", j->program);
		add_log(j, why);
	}
	json_decref(answer);
	return rc ? -1 : 0;
}

/* --- which one -------------------------------------------------------------------------------------------------- */

static struct second *open_one(const struct kit *k, const char *name, struct buf *why)
{
	struct second *j;
	char *program = second_place_program(k, name);

	if (!program) {
		fail(why, "there is no second judge %s", name);
		return NULL;
	}
	j = need(sizeof(*j));
	pthread_mutex_init(&j->lock, NULL);
	j->program = program;
	j->fd = -1;
	j->dir = second_place_directory(k, &j->held);
	j->cache = j->dir
		       ? text_make("%s/judges", file_there(k->dir ? k->dir : ".") ? (k->dir ? k->dir : ".") : j->dir)
		       : NULL;
	if (!j->dir)
		fail(why, "no directory for the second judge: %s", strerror(errno));
	if (!j->dir || directory_make(j->cache, why) < 0 || start(j, why) < 0) {
		second_close(j);
		return NULL;
	}
	return j;
}

struct second *second_open(const struct kit *k, struct buf *why)
{
	static const char *const best[] = {"bouncycastle", "nss", "gpgsm"};
	struct second *j = NULL;
	struct buf all = {0};

	if (k->second && *k->second && strcmp(k->second, "auto") != 0)
		return open_one(k, k->second, why);
	for (size_t i = 0; !j && i < sizeof(best) / sizeof(*best); i++)
		j = open_one(k, best[i], &all);
	if (!j)
		fail(why, "%s", all.p);
	buf_free(&all);
	return j;
}

void second_close(struct second *j)
{
	if (!j)
		return;
	stop(j);
	if (j->dir)
		second_place_remove(j->dir, j->held);
	pthread_mutex_destroy(&j->lock);
	buf_free(&j->got);
	free(j->program);
	free(j->name);
	free(j->dir);
	free(j->cache);
	free(j);
}

const char *second_name(const struct second *j)
{
	return j && j->name ? j->name : "none";
}

/* --- questions -------------------------------------------------------------------------------------------------- */

static int write_out(const char *path, BIO *b, struct buf *why)
{
	char *text;
	long n = BIO_get_mem_data(b, &text);

	return file_write(path, text, (size_t)n, 0600, why);
}

/* The credential as files, written once: {"cert":...,"key":...}. NULL with why. */
static json_t *files_of(struct second *j, const struct credential *c, struct buf *why)
{
	unsigned char *der = NULL, hash[32];
	int n = i2d_X509(c->cert, &der), rc = -1;
	char *cert = NULL, *key = NULL;
	struct buf hex = {0};
	BIO *b = BIO_new(BIO_s_mem());
	json_t *out = NULL;

	if (n < 0 || !b)
		goto out;
	sha256_of(der, (size_t)n, hash);
	hex_add(&hex, hash, 16);
	cert = text_make("%s/%s.pem", j->dir, hex.p);
	key = c->key ? text_make("%s/%s.key", j->dir, hex.p) : NULL;
	if (!file_there(cert) && (PEM_write_bio_X509(b, c->cert) != 1 || write_out(cert, b, why) < 0))
		goto out;
	BIO_reset(b);
	if (key && !file_there(key) &&
	    (PEM_write_bio_PKCS8PrivateKey(b, c->key, NULL, NULL, 0, NULL, NULL) != 1 || write_out(key, b, why) < 0))
		goto out;
	out = json_pack("{s:s,s:s*}", "cert", cert, "key", key);
	rc = 0;
out:
	if (rc < 0)
		fail(why, "a certificate could not be written for the second judge");
	OPENSSL_free(der);
	BIO_free(b);
	buf_free(&hex);
	free(cert);
	free(key);
	return out;
}

/* As exchange, but one that died is started again, and asked again. */
static int ask(struct second *j, json_t *question, json_t **out, struct buf *why)
{
	for (int i = 0; i < 2; i++) {
		int rc;

		if (j->pid == 0 && start(j, why) < 0)
			return -1;
		rc = exchange(j, question, LIMIT_MS, out, why);
		if (rc <= 0)
			return rc;
	}
	return fail(why, "the second judge ended twice at this message");
}

static json_t *judge_locked(struct second *j, const void *octets, size_t n, const struct credential *const *keys,
    size_t n_keys, struct buf *why)
{
	char *path = text_make("%s/message", j->dir);
	json_t *list = json_array(), *question = NULL, *answer = NULL;

	for (size_t i = 0; i < n_keys; i++) {
		json_t *one = keys[i] && keys[i]->cert ? files_of(j, keys[i], why) : NULL;

		if (!one)
			goto out;
		json_array_append_new(list, one);
	}
	question = json_pack("{s:s,s:O,s:[]}", "file", path, "keys", list, "anchors");
	if (!question || file_write(path, octets, n, 0600, why) < 0 || ask(j, question, &answer, why) < 0)
		goto out;
	if (!json_is_true(json_object_get(answer, "ok"))) {
		const char *cannot = json_string_value(json_object_get(answer, "cannot"));

		fail(why, "%s cannot judge it: %s", second_name(j), cannot ? cannot : "it does not say why");
		json_decref(answer);
		answer = NULL;
	} else if (!json_is_array(json_object_get(answer, "layers"))) {
		fail(why, "the second judge's answer has no layers");
		json_decref(answer);
		answer = NULL;
	}
out:
	unlink(path);
	json_decref(question);
	json_decref(list);
	free(path);
	return answer;
}

json_t *second_judge(struct second *j, const void *octets, size_t n, const struct credential *const *keys,
    size_t n_keys, struct buf *why)
{
	json_t *answer;

	if (!j) {
		fail(why, "there is no second judge");
		return NULL;
	}
	pthread_mutex_lock(&j->lock);
	answer = judge_locked(j, octets, n, keys, n_keys, why);
	pthread_mutex_unlock(&j->lock);
	return answer;
}
