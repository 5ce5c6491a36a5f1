/*
 * Load for `make bench`: keeps SESSIONS connections open, each over STARTTLS, and sends N messages of SIZE octets
 * through them as fast as the answers come. usage: load HOST PORT N SESSIONS SIZE|@FILE SENDER RECIPIENT tls|plain;
 * FILE: a message without Message-ID, CRLF lines, none of which begins with a dot. Prints messages a second. Exit 1
 * when any answer is not 2xx/3xx.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
	struct sockaddr_in to;
	long n;
	size_t size;
	const char *sender, *rcpt;
	SSL_CTX *tls;
	char *body;
	size_t body_len;
	atomic_long next;
} job;

struct session {
	int fd;
	SSL *ssl;
	char in[4096];
	size_t len;
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "load: %s: %s\n", what, detail);
	exit(1);
}

static void put(struct session *s, const char *p, size_t n)
{
	while (n > 0) {
		long k = s->ssl != NULL ? SSL_write(s->ssl, p, n > 1 << 20 ? 1 << 20 : (int)n) : write(s->fd, p, n);

		if (k <= 0)
			die("connection", "lost while sending");
		p += k;
		n -= (size_t)k;
	}
}

/* One whole reply; dies unless its first digit is good. */
static void reply(struct session *s, char good)
{
	for (;;) {
		char *nl;

		while ((nl = memchr(s->in, '\n', s->len)) == NULL) {
			if (s->len == sizeof(s->in))
				die("reply", "too long");
			long k = s->ssl != NULL ? SSL_read(s->ssl, s->in + s->len, (int)(sizeof(s->in) - s->len))
						: read(s->fd, s->in + s->len, sizeof(s->in) - s->len);
			if (k <= 0)
				die("connection", "lost while reading");
			s->len += (size_t)k;
		}
		size_t line = (size_t)(nl - s->in) + 1;
		char first = s->in[0], sep = s->in[3];
		if (first != good) {
			*nl = '\0';
			die("answer", s->in);
		}
		memmove(s->in, s->in + line, s->len - line);
		s->len -= line;
		if (sep != '-')
			return;
	}
}

static void command(struct session *s, const char *line)
{
	put(s, line, strlen(line));
}

static void begin(struct session *s)
{
	memset(s, 0, sizeof(*s));
	int one = 1;

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	/* a message is several writes: none of them shall wait for an acknowledgement */
	if (s->fd < 0 || setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    connect(s->fd, (struct sockaddr *)&job.to, sizeof(job.to)) != 0)
		die("connect", "refused");
	reply(s, '2');
	command(s, "EHLO client.test\r\n");
	reply(s, '2');
	if (job.tls == NULL)
		return;
	command(s, "STARTTLS\r\n");
	reply(s, '2');
	SSL *ssl = SSL_new(job.tls);
	if (ssl == NULL || SSL_set_fd(ssl, s->fd) != 1 || SSL_connect(ssl) != 1)
		die("TLS", "handshake failed");
	s->ssl = ssl;
	command(s, "EHLO client.test\r\n");
	reply(s, '2');
}

static void *run(void *ctx)
{
	struct session s;
	char line[1200], *message = malloc(job.body_len + 160);

	(void)ctx;
	if (message == NULL)
		die("memory", "none");
	begin(&s);
	snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", job.sender, job.rcpt);
	for (long i; (i = atomic_fetch_add(&job.next, 1)) < job.n;) {
		int head;

		command(&s, line);
		reply(&s, '2');
		reply(&s, '2');
		reply(&s, '3');
		head = snprintf(message, 160, "Message-ID: <load-%d-%ld@client.test>\r\n", (int)getpid(), i);
		memcpy(message + head, job.body, job.body_len);
		put(&s, message, (size_t)head + job.body_len);
		reply(&s, '2');
	}
	command(&s, "QUIT\r\n");
	reply(&s, '2');
	if (s.ssl != NULL)
		SSL_free(s.ssl);
	close(s.fd);
	free(message);
	return NULL;
}

static void make_body(void)
{
	int head;

	job.body = malloc(job.size + 2048);
	if (job.body == NULL)
		die("memory", "none");
	head = snprintf(job.body, 1024,
	    "From: <%s>\r\nTo: <%s>\r\nSubject: load\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\nMIME-Version: "
	    "1.0\r\nContent-Type: text/plain\r\n\r\n",
	    job.sender, job.rcpt);
	size_t at = (size_t)head;
	while (at < job.size) {
		memset(job.body + at, 'x', 72);
		memcpy(job.body + at + 72, "\r\n", 2);
		at += 74;
	}
	memcpy(job.body + at, ".\r\n", 4);
	job.body_len = at + 3;
}

static void read_body(const char *path)
{
	FILE *f = fopen(path, "rb");
	long n = 0;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 2)
		die("file", path);
	rewind(f);
	job.body = malloc((size_t)n + 8);
	if (job.body == NULL || fread(job.body, 1, (size_t)n, f) != (size_t)n ||
	    memcmp(job.body + n - 2, "\r\n", 2) != 0)
		die("file", "cannot be read, or does not end with CRLF");
	memcpy(job.body + n, ".\r\n", 4);
	job.body_len = (size_t)n + 3;
	fclose(f);
}

int main(int argc, char **argv)
{
	pthread_t t[256];
	struct timespec a, b;
	long sessions;

	if (argc != 9)
		die("usage", "load HOST PORT N SESSIONS SIZE|@FILE SENDER RECIPIENT tls|plain");
	job.to.sin_family = AF_INET;
	job.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	inet_pton(AF_INET, argv[1], &job.to.sin_addr);
	job.n = strtol(argv[3], NULL, 10);
	sessions = strtol(argv[4], NULL, 10);
	job.size = strtoul(argv[5], NULL, 10);
	job.sender = argv[6];
	job.rcpt = argv[7];
	if (strcmp(argv[8], "tls") == 0)
		job.tls = SSL_CTX_new(TLS_client_method());
	if (sessions < 1 || sessions > 256)
		die("usage", "1 to 256 sessions");
	if (argv[5][0] == '@')
		read_body(argv[5] + 1);
	else
		make_body();
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < sessions; i++)
		if (pthread_create(&t[i], NULL, run, NULL) != 0)
			die("thread", "none");
	for (long i = 0; i < sessions; i++)
		pthread_join(t[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.1f\n", (double)job.n / ((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9));
	SSL_CTX_free(job.tls);
	free(job.body);
	return 0;
}
