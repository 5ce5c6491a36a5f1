/*
 * The last hop of `make bench`: takes every message and forgets it, one thread a session, so that the machine's time
 * goes to what is measured. usage: sink HOST PORT FILE. FILE holds the number of messages accepted so far, 8 octets
 * in the machine's order. Announces PIPELINING, 8BITMIME and CHUNKING, as Postfix does. Runs until it is ended.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static _Atomic uint64_t *count;

struct session {
	int fd;
	char in[65536 + 8];
	size_t len, at; /* octets read, octets used */
	char out[4096];
	size_t out_len;
};

static int flush(struct session *s)
{
	size_t done = 0;

	while (done < s->out_len) {
		ssize_t k = write(s->fd, s->out + done, s->out_len - done);

		if (k <= 0)
			return -1;
		done += (size_t)k;
	}
	s->out_len = 0;
	return 0;
}

static int say(struct session *s, const char *text)
{
	size_t n = strlen(text);

	if (s->out_len + n > sizeof(s->out) && flush(s) != 0)
		return -1;
	memcpy(s->out + s->out_len, text, n);
	s->out_len += n;
	return 0;
}

/* What was answered goes out before we wait. */
static int more(struct session *s, size_t keep)
{
	ssize_t k;

	if (flush(s) != 0)
		return -1;
	memmove(s->in, s->in + s->len - keep, keep);
	s->at = 0;
	s->len = keep;
	k = read(s->fd, s->in + keep, 65536 - keep);
	if (k <= 0)
		return -1;
	s->len += (size_t)k;
	return 0;
}

/* One command, NUL-ended, without its line end; NULL at the end of the connection. */
static char *command(struct session *s)
{
	for (;;) {
		char *nl = memchr(s->in + s->at, '\n', s->len - s->at), *line = s->in + s->at;

		if (nl != NULL) {
			s->at = (size_t)(nl - s->in) + 1;
			*nl = '\0';
			return line;
		}
		if (s->len - s->at > 4096 || more(s, s->len - s->at) != 0)
			return NULL;
	}
}

/* Everything up to the line with the one dot. */
static int content(struct session *s)
{
	static const char end[] = "\r\n.\r\n";

	if (s->at >= 2) /* the line end of DATA belongs to the mark of an empty message */
		s->at -= 2;
	memcpy(s->in + s->at, "\r\n", 2);
	for (;;) {
		char *p = memmem(s->in + s->at, s->len - s->at, end, 5);

		if (p != NULL) {
			s->at = (size_t)(p - s->in) + 5;
			return 0;
		}
		if (more(s, s->len - s->at < 4 ? s->len - s->at : 4) != 0)
			return -1;
	}
}

static int data(struct session *s)
{
	if (say(s, "354 go on\r\n") != 0 || content(s) != 0)
		return -1;
	atomic_fetch_add(count, 1);
	return say(s, "250 2.0.0 taken\r\n");
}

static int chunk(struct session *s, char *line)
{
	char *end;
	size_t n = strtoul(line + 4, &end, 10);
	bool last = strncasecmp(end, " LAST", 5) == 0; /* the line goes when more is read */

	while (n > 0) {
		size_t k = s->len - s->at;

		if (k == 0 && more(s, 0) != 0)
			return -1;
		k = s->len - s->at < n ? s->len - s->at : n;
		s->at += k;
		n -= k;
	}
	if (last)
		atomic_fetch_add(count, 1);
	return say(s, "250 2.0.0 taken\r\n");
}

static void *run(void *ctx)
{
	struct session *s = ctx;
	char *line;
	int r = say(s, "220 sink.test ESMTP\r\n");

	while (r == 0 && (line = command(s)) != NULL) {
		if (strncasecmp(line, "EHLO", 4) == 0)
			r = say(s, "250-sink.test\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n");
		else if (strncasecmp(line, "DATA", 4) == 0)
			r = data(s);
		else if (strncasecmp(line, "BDAT", 4) == 0)
			r = chunk(s, line);
		else if (strncasecmp(line, "QUIT", 4) == 0) {
			say(s, "221 2.0.0 bye\r\n");
			flush(s);
			r = -1;
		} else
			r = say(s, "250 2.0.0 ok\r\n");
	}
	close(s->fd);
	free(s);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int one = 1, l = socket(AF_INET, SOCK_STREAM, 0);
	int f = argc == 4 ? open(argv[3], O_RDWR | O_CREAT, 0600) : -1;

	if (f < 0 || l < 0 || ftruncate(f, sizeof(*count)) != 0)
		return 2;
	signal(SIGPIPE, SIG_IGN); /* a client that goes ends its own session only */
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	a.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (count == MAP_FAILED || inet_pton(AF_INET, argv[1], &a.sin_addr) != 1 ||
	    bind(l, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(l, 512) != 0)
		return 1;
	for (;;) {
		pthread_t t;
		struct session *s = calloc(1, sizeof(*s));

		if (s == NULL || (s->fd = accept(l, NULL, NULL)) < 0)
			return 1;
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&t, NULL, run, s) != 0)
			return 1;
		pthread_detach(t);
	}
}
