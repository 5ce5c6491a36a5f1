#include "messages.h"

#include "fake_world.h"
#include "make_message.h"
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned held, failed;

void check(bool holds, const char *format, ...)
{
	va_list ap;

	held += holds;
	failed += !holds;
	if (holds)
		return;
	va_start(ap, format);
	fputs("FAILED: ", stdout);
	vprintf(format, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
}

int checked(void)
{
	printf("%u checks held, %u failed\n", held, failed);
	return failed || !held ? 1 : 0;
}

void bench_open(struct bench *b, struct world *w, const char *statements)
{
	const char *tmp = getenv("TMPDIR");
	char *text = text_make("title \"A test\"\nproves TEST-1\n%s", statements);
	struct buf why = {0};

	*b = (struct bench){
	    .kit = {.kit_domain = "kit.test",
		.host = "mx.kit.test",
		.gateway_domain = "own.test",
		.http = "127.0.0.1:8080",
		.marks = {"^X-Mark: trusted", "^X-Mark: untrusted", "^X-Mark: broken", "^X-Mark: unsigned"}}};
	b->dir = text_make("%s/bench-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(b->dir) || case_file_parse(text, strlen(text), &b->c, &why) < 0)
		die("no test case: %s", why.p ? why.p : b->dir);
	b->c.id = text_copy("test-case");
	b->c.dir = text_copy(b->dir);
	scene_begin(&b->s, &b->kit, &b->c, NULL);
	b->s.world = w;
	fake_world_write(w, b->dir);
	free(text);
}

void bench_close(struct bench *b)
{
	const char *argv[] = {"rm", "-rf", b->dir, NULL};
	struct buf out = {0};

	scene_free(&b->s);
	bench_run(b, &out, argv);
	case_file_free(&b->c);
	buf_free(&out);
	free(b->dir);
}

int bench_make(struct bench *b, const char *layers, struct buf *out, struct buf *why)
{
	struct case_file c = {0};
	struct buf text = {0};
	int rc;

	buf_adds(&text, "title \"A test\"\nproves TEST-1\nmessage m\n  ");
	for (const char *at = layers; *at; at++) {
		buf_add(&text, at, 1);
		if (*at == '\n')
			buf_adds(&text, "  ");
	}
	rc = case_file_parse(text.p, text.n, &c, why);
	if (rc == 0)
		rc = make_message(&b->s, &c.stmts[0], out, why);
	case_file_free(&c);
	buf_free(&text);
	return rc;
}

void bench_message(struct bench *b, const char *layers, struct buf *out)
{
	struct buf why = {0};

	buf_clear(out);
	check(bench_make(b, layers, out, &why) == 0, "cannot be made: %s\n%s", why.n ? why.p : "", layers);
	buf_add(out, "", 0);
	buf_free(&why);
}

int bench_run(struct bench *b, struct buf *out, const char *const *argv)
{
	char part[4096];
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	buf_clear(out);
	buf_add(out, "", 0);
	if (pipe(fds) < 0)
		die("no pipe");
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		if (chdir(b->dir) == 0)
			execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], part, sizeof(part))) > 0)
		buf_add(out, part, (size_t)n);
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* No more comes. */
const struct mail *sink_wait(struct sink *s, enum side side, const char *to, unsigned after, int64_t wait_ms,
    bool (*test)(const struct mail *, void *), void *arg)
{
	(void)s;
	(void)side;
	(void)to;
	(void)after;
	(void)wait_ms;
	(void)test;
	(void)arg;
	return NULL;
}
