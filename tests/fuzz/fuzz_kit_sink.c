/*
 * A session of the kit's sinks: the input is what the gateway under test says. The first octet chooses the side, and
 * whether the rest is said inside TLS.
 */
#include "interop/kit/sink_session.h"

#include <signal.h>

#include "tests/fuzz/fuzz_kit.h"

struct peer {
	int fd;
	bool tls;
	const uint8_t *p;
	size_t n;
};

static SSL_CTX *client;

static void *drain(void *arg)
{
	char part[4096];

	while (recv(*(int *)arg, part, sizeof(part), 0) > 0)
		;
	return NULL;
}

static void plain(const struct peer *p)
{
	pthread_t thread;
	int fd = p->fd;

	REQUIRE(pthread_create(&thread, NULL, drain, &fd) == 0);
	for (size_t done = 0; done < p->n;) {
		ssize_t w = send(p->fd, p->p + done, p->n - done, MSG_NOSIGNAL);

		if (w <= 0)
			break;
		done += (size_t)w;
	}
	shutdown(p->fd, SHUT_WR);
	pthread_join(thread, NULL);
}

static void line(int fd)
{
	char c = 0;

	while (c != '\n' && recv(fd, &c, 1, 0) == 1)
		;
}

static void secret(const struct peer *p)
{
	SSL *ssl = SSL_new(client);
	char part[4096];

	line(p->fd);
	REQUIRE(send(p->fd, "STARTTLS\r\n", 10, MSG_NOSIGNAL) == 10);
	line(p->fd);
	REQUIRE(SSL_set_fd(ssl, p->fd) == 1);
	if (SSL_connect(ssl) == 1 && p->n > 0 && SSL_write(ssl, p->p, (int)p->n) > 0)
		SSL_shutdown(ssl);
	shutdown(p->fd, SHUT_WR);
	while (SSL_read(ssl, part, sizeof(part)) > 0)
		;
	SSL_free(ssl);
}

static void *talk(void *arg)
{
	const struct peer *p = arg;

	if (p->tls)
		secret(p);
	else
		plain(p);
	close(p->fd);
	return NULL;
}

static SSL_CTX *server(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	REQUIRE(SSL_CTX_use_certificate_file(c, "tests/data/cms/ec.pem", SSL_FILETYPE_PEM) == 1);
	REQUIRE(SSL_CTX_use_PrivateKey_file(c, "tests/data/cms/ec.key", SSL_FILETYPE_PEM) == 1);
	return c;
}

static bool sound(const struct mail *m, void *arg)
{
	(void)arg;
	REQUIRE(m->from && m->parameters && m->helo && m->n_to > 0 && m->n_to <= 2000 && m->data.p);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char host[] = "mx.kit.test";
	static struct kit kit = {.host = host};
	static SSL_CTX *tls;
	struct sink_store *store = sink_store_new();
	struct session_of of = {.store = store, .kit = &kit};
	struct buf der = {0};
	struct peer p;
	pthread_t thread;
	int fd[2];

	if (!tls) {
		signal(SIGPIPE, SIG_IGN); /* as main does */
		tls = server();
		client = SSL_CTX_new(TLS_client_method());
	}
	if (size == 0 || size > 8000) {
		sink_store_free(store);
		return 0;
	}
	buf_adds(&der, "0123456789");
	sink_store_statement(store, "p.test", &der);
	of.tls = tls;
	of.side = data[0] & 1 ? INSIDE : OUTSIDE;
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	p = (struct peer){fd[0], data[0] >= 128, data + 1, size - 1};
	REQUIRE(pthread_create(&thread, NULL, talk, &p) == 0);
	sink_session(&of, fd[1]);
	pthread_join(thread, NULL);
	sink_store_wait(store, of.side, "user@g.test", 0, 0, sound, NULL);
	buf_clear(&der);
	sink_store_wait_got(store, "g.test", 0, &der);
	buf_free(&der);
	sink_store_free(store);
	return 0;
}
