/*
 * Many idle sessions for `make bench`: opens N of them, each through STARTTLS and EHLO, says "open N" and keeps them
 * until standard input ends. usage: idle HOST PORT N. Exit 1 when one cannot be opened.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 4 };

static struct sockaddr_in to;
static SSL_CTX *tls;
static atomic_long next;
static long wanted;

static void die(const char *what)
{
	fprintf(stderr, "idle: %s\n", what);
	exit(1);
}

/* One whole reply, plain or over TLS. */
static void reply(int fd, SSL *ssl)
{
	char in[4096];
	size_t n = 0;

	for (;;) {
		long k = ssl != NULL ? SSL_read(ssl, in + n, (int)(sizeof(in) - 1 - n))
				     : read(fd, in + n, sizeof(in) - 1 - n);
		char *line = in;

		if (k <= 0)
			die("connection lost");
		n += (size_t)k;
		in[n] = '\0';
		if (in[0] != '2')
			die(in);
		for (char *nl; (nl = strchr(line, '\n')) != NULL; line = nl + 1)
			if (line[3] == ' ')
				return;
	}
}

static void one(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(tls);

	if (fd < 0 || ssl == NULL || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("cannot connect");
	reply(fd, NULL);
	if (write(fd, "EHLO idle.test\r\n", 16) != 16)
		die("write");
	reply(fd, NULL);
	if (write(fd, "STARTTLS\r\n", 10) != 10)
		die("write");
	reply(fd, NULL);
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		die("handshake failed");
	if (SSL_write(ssl, "EHLO idle.test\r\n", 16) != 16)
		die("write");
	reply(fd, ssl);
	/* the session stays open: socket and SSL are kept until the process ends */
}

static void *run(void *ctx)
{
	(void)ctx;
	while (atomic_fetch_add(&next, 1) < wanted)
		one();
	return NULL;
}

int main(int argc, char **argv)
{
	struct rlimit many;
	pthread_t t[THREADS];
	char c;

	if (argc != 4)
		die("usage: idle HOST PORT N");
	if (getrlimit(RLIMIT_NOFILE, &many) != 0)
		die("RLIMIT_NOFILE");
	many.rlim_cur = many.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &many) != 0)
		die("RLIMIT_NOFILE");
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	inet_pton(AF_INET, argv[1], &to.sin_addr);
	wanted = strtol(argv[3], NULL, 10);
	tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, run, NULL) != 0)
			die("thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("open %ld\n", wanted);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
