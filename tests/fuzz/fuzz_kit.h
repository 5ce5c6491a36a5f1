/*
 * What the fuzz targets of the certification kit share: a directory in memory for the files that it reads, and a
 * server that says the input to whoever connects. Nothing of the gateway is in it. Header only.
 */
#ifndef POSTERN_TESTS_FUZZ_KIT_H
#define POSTERN_TESTS_FUZZ_KIT_H

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interop/kit/util.h"
#include "interop/kit/visible.h"
#include "interop/kit/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(e)                                                                                                   \
	do {                                                                                                         \
		if (!(e)) {                                                                                          \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #e);                                      \
			abort();                                                                                     \
		}                                                                                                    \
	} while (0)

static char kit_path[] = "/dev/shm/kit-fuzz-XXXXXX";

static inline void kit_dir_end(void)
{
	static const char *const names[] = {"results.json", "manifest.json", "plan.json"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = text_make("%s/%s", kit_path, names[i]);

		unlink(path);
		free(path);
	}
	rmdir(kit_path);
}

/* A directory of this process below /dev/shm, made once. */
static inline const char *kit_dir(void)
{
	static bool made;

	if (!made)
		REQUIRE(mkdtemp(kit_path) != NULL && atexit(kit_dir_end) == 0);
	made = true;
	return kit_path;
}

static inline void kit_file(const char *name, const void *p, size_t n)
{
	char *path = text_make("%s/%s", kit_dir(), name);

	REQUIRE(file_write(path, p, n, 0600, NULL) == 0);
	free(path);
}

/* What is shown to people holds nothing that a terminal or XML 1.0 (section 2.2) does not take. */
static inline void kit_shown(const char *p, size_t n)
{
	for (size_t at = 0, used; at < n; at += used) {
		uint32_t c = 0;

		used = utf8_next(p + at, n - at, &c);
		REQUIRE(used > 0);
		REQUIRE(c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0)));
		REQUIRE(c != 0xfffe && c != 0xffff);
	}
}

static inline struct credential kit_credential(const char *cert, const char *key)
{
	struct credential c = {.chain = sk_X509_new_null()};
	FILE *f = fopen(cert, "r"), *g = fopen(key, "r");

	REQUIRE(f != NULL && g != NULL); /* run in the project's root */
	c.cert = PEM_read_X509(f, NULL, NULL, NULL);
	c.key = PEM_read_PrivateKey(g, NULL, NULL, NULL);
	REQUIRE(c.cert != NULL && c.key != NULL);
	fclose(f);
	fclose(g);
	return c;
}

/* --- a server that says the input ------------------------------------------------------------------------------ */

static struct {
	int listener;
	char address[64];
	const uint8_t *p;
	size_t n;
} kit_says = {.listener = -1};

static inline void *kit_serve(void *arg)
{
	char part[4096];

	for (;;) {
		int fd = accept(kit_says.listener, NULL, NULL);
		size_t n = kit_says.n;
		char *copy = need(n); /* who was answered may be gone before all of it was said */

		REQUIRE(fd >= 0);
		memcpy(copy, kit_says.p, n);
		for (size_t done = 0; done < n;) {
			ssize_t w = send(fd, copy + done, n - done, MSG_NOSIGNAL);

			if (w <= 0)
				break;
			done += (size_t)w;
		}
		shutdown(fd, SHUT_WR);
		while (recv(fd, part, sizeof(part), 0) > 0)
			;
		close(fd);
		free(copy);
	}
	return arg;
}

/* host:port where the input is said from now on. */
static inline const char *kit_server(const uint8_t *p, size_t n)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	pthread_t thread;

	kit_says.p = p;
	kit_says.n = n;
	if (kit_says.listener >= 0)
		return kit_says.address;
	kit_says.listener = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(bind(kit_says.listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(kit_says.listener, 8) == 0);
	REQUIRE(getsockname(kit_says.listener, (struct sockaddr *)&a, &len) == 0);
	snprintf(kit_says.address, sizeof(kit_says.address), "127.0.0.1:%d", ntohs(a.sin_port));
	REQUIRE(pthread_create(&thread, NULL, kit_serve, NULL) == 0);
	return kit_says.address;
}

#endif
