/* The hook of `postern domain rollover`, see the header. */
#include "admin-ui/cli_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin-ui/cli.h"
#include "admin-ui/cli_out.h"
#include "gateway/base/file.h"

struct hook {
	const char *command, *domain, *use, *key;
	int in, out; /* its ends */
};

static void run_child(const struct hook *h)
{
	if (dup2(h->in, STDIN_FILENO) >= 0 && dup2(h->out, STDOUT_FILENO) >= 0 &&
	    setenv("POSTERN_DOMAIN", h->domain, 1) == 0 && setenv("POSTERN_USE", h->use, 1) == 0 &&
	    setenv("POSTERN_KEY", h->key, 1) == 0)
		(void)execl("/bin/sh", "sh", "-c", h->command, (char *)NULL);
	_exit(127);
}

/* 0 at the end of what it prints, -1 when that is too much. */
static int read_all(int fd, struct buf *out)
{
	char part[4096];
	ssize_t n;
	int rc = 0;

	while ((n = read(fd, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && rc == 0)
			rc = buf_add(out, part, (size_t)n);
	return n < 0 ? -1 : rc;
}

static int ended(const char *command, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_out_fail("the hook cannot be waited for: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return CLI_OK;
	if (WIFEXITED(status))
		return cli_out_fail("the hook \"%s\" ended with status %d", command, WEXITSTATUS(status));
	return cli_out_fail("the hook \"%s\" was ended by signal %d", command, WTERMSIG(status));
}

static int run(struct hook *h, int from, struct buf *out_r)
{
	pid_t pid = fork();
	int rc, most;

	if (pid < 0)
		return cli_out_fail("the hook cannot be started: %s", strerror(errno));
	if (pid == 0)
		run_child(h);
	(void)close(h->out);
	h->out = -1;
	most = read_all(from, out_r);
	rc = ended(h->command, pid);
	if (rc == CLI_OK && (most < 0 || out_r->len == 0))
		rc = cli_out_fail("the hook \"%s\" printed %s", h->command, most < 0 ? "too much" : "nothing");
	return rc;
}

int cli_hook_run(
    const char *command, const char *request, const char *domain, const char *use, const char *key, struct buf *out_r)
{
	struct hook h = {.command = command, .domain = domain, .use = use, .key = key, .in = -1, .out = -1};
	int fds[2], rc;

	h.in = file_memfd("request", request, strlen(request));
	if (h.in < 0 || pipe2(fds, O_CLOEXEC) < 0) {
		if (h.in >= 0)
			(void)close(h.in);
		return cli_out_fail("the hook cannot be started: %s", strerror(errno));
	}
	h.out = fds[1];
	rc = run(&h, fds[0], out_r);
	(void)close(fds[0]);
	(void)close(h.in);
	if (h.out >= 0)
		(void)close(h.out);
	return rc;
}
