#include "gateway/proc/relay_closed.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"

enum { CLOSED_MS = 15000, ACCEPT_AT_ONCE = 64, WORDS_MAX = 400 };

/* The reason is for the log: it has names of this machine in it, and who comes may be a stranger. */
static void on_accept(void *ctx, int fd, unsigned got)
{
	const char *hostname = ctx;
	char words[WORDS_MAX];
	int n =
	    snprintf(words, sizeof(words), "421 4.3.0 %s mail cannot be stored now, try again later\r\n", hostname);

	(void)got;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c < 0)
			return;
		(void)send(c, words, (size_t)n < sizeof(words) ? (size_t)n : sizeof(words) - 1, MSG_NOSIGNAL);
		shutdown(c, SHUT_WR);
		close(c);
	}
}

static void over(void *ctx)
{
	loop_stop(ctx);
}

void relay_closed(
    struct loop *l, const char *hostname, const struct relay_closed_listeners *at, const struct problem *why)
{
	struct loop_timer *end = loop_timer_new(l, over, l);

	log_error(NULL, "relay", "alarm=queue-closed again=%ds why=\"%s\"", CLOSED_MS / 1000, why->text);
	for (size_t i = 0; i < at->n; i++)
		loop_io_want(loop_io_new(l, at->fds[i], on_accept, (void *)(uintptr_t)hostname), LOOP_READ);
	loop_timer_set(end, CLOSED_MS);
	loop_run(l);
	log_fatal("%s", why->text);
}
