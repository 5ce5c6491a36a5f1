#include "interop/kit/door.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interop/kit/kit.h"

#define VISITORS_MAX 300

struct door {
	int fd;
	void (*visit)(void *, int);
	void *arg;
	pthread_t thread;
	atomic_bool stop;
	atomic_int inside;
};

struct visitor {
	struct door *door;
	int fd;
};

static void *serve(void *arg)
{
	struct visitor *v = arg;
	struct door *d = v->door;

	d->visit(d->arg, v->fd);
	free(v);
	atomic_fetch_sub(&d->inside, 1);
	return NULL;
}

static void take(struct door *d, int fd)
{
	struct visitor *v = need(sizeof(*v));
	pthread_attr_t a;
	pthread_t t;

	*v = (struct visitor){d, fd};
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	if (atomic_fetch_add(&d->inside, 1) >= VISITORS_MAX || pthread_create(&t, &a, serve, v) != 0) {
		atomic_fetch_sub(&d->inside, 1);
		close(fd);
		free(v);
	}
	pthread_attr_destroy(&a);
}

static void *listen_loop(void *arg)
{
	struct door *d = arg;

	while (!atomic_load(&d->stop)) {
		struct pollfd p = {.fd = d->fd, .events = POLLIN};
		int fd;

		if (poll(&p, 1, 200) <= 0)
			continue;
		fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			take(d, fd);
	}
	return NULL;
}

static int listen_at(const char *address, struct buf *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *a = NULL;
	char *host, *port;
	int fd, on = 1;

	if (kit_address(address, &host, &port) < 0)
		return fail(why, "%s is not host:port", address);
	if (getaddrinfo(host, port, &hints, &a) != 0)
		a = NULL;
	free(host);
	free(port);
	if (!a)
		return fail(why, "%s is not an address of this machine", address);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 128) < 0) {
		fail(why, "cannot listen at %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

struct door *door_open(const char *address, void (*visit)(void *arg, int fd), void *arg, struct buf *why)
{
	int fd = listen_at(address, why);
	struct door *d;

	if (fd < 0)
		return NULL;
	d = need(sizeof(*d));
	d->fd = fd;
	d->visit = visit;
	d->arg = arg;
	if (pthread_create(&d->thread, NULL, listen_loop, d) == 0)
		return d;
	fail(why, "no thread for %s", address);
	close(fd);
	free(d);
	return NULL;
}

int door_close(struct door *d)
{
	if (!d)
		return 0;
	atomic_store(&d->stop, true);
	pthread_join(d->thread, NULL);
	close(d->fd);
	for (int i = 0; i < 50 && atomic_load(&d->inside) > 0; i++)
		pause_ms(20);
	if (atomic_load(&d->inside) > 0)
		return -1;
	free(d);
	return 0;
}

SSL_CTX *door_tls(struct world *w)
{
	const struct credential *c = w ? world_credential(w, NULL, "tls", 0) : NULL;
	SSL_CTX *t;

	if (!c || !c->key)
		return NULL;
	t = SSL_CTX_new(TLS_server_method());
	if (!t || SSL_CTX_use_certificate(t, c->cert) != 1 || SSL_CTX_use_PrivateKey(t, c->key) != 1) {
		SSL_CTX_free(t);
		return NULL;
	}
	for (int i = 0; i < sk_X509_num(c->chain); i++)
		SSL_CTX_add1_chain_cert(t, sk_X509_value(c->chain, i));
	return t;
}
