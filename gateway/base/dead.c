#include "gateway/base/dead.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gateway/base/loop.h"

enum { KEY = 400 };

static void key_of(const char *uri, const struct sockaddr_storage *ss, char key_r[KEY])
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	bool six = ss->ss_family == AF_INET6;
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(six ? AF_INET6 : AF_INET, six ? (const void *)&in6->sin6_addr : &in4->sin_addr, text, sizeof(text));
	snprintf(key_r, KEY, "%s %s %u", uri, text, ntohs(six ? in6->sin6_port : in4->sin_port));
}

void dead_mark(struct dead *d, const char *uri, const struct sockaddr_storage *addr, int64_t ms, const char *why)
{
	size_t i = 0;
	char key[KEY];

	key_of(uri, addr, key);
	while (i < DEAD_MAX && strcmp(d->all[i].key, key) != 0)
		i++;
	if (i == DEAD_MAX)
		i = d->next++ % DEAD_MAX;
	memcpy(d->all[i].key, key, sizeof(key));
	d->all[i].until = loop_now_ms() + ms;
	d->all[i].since = (int64_t)time(NULL);
	snprintf(d->all[i].why, sizeof(d->all[i].why), "%s", why);
}

static bool is_marked(const struct dead *d, const char *key, char *words, size_t cap)
{
	int64_t now = loop_now_ms();

	for (size_t i = 0; i < DEAD_MAX; i++) {
		struct tm tm;
		time_t since = (time_t)d->all[i].since;
		char at[32];

		if (d->all[i].until <= now || strcmp(d->all[i].key, key) != 0)
			continue;
		gmtime_r(&since, &tm);
		strftime(at, sizeof(at), "%H:%M:%SZ", &tm);
		snprintf(words, cap, "marked dead since %s: %s", at, d->all[i].why);
		return true;
	}
	return false;
}

bool dead_is(const struct dead *d, const char *uri, const struct sockaddr_storage *addr, char *words, size_t cap)
{
	char key[KEY];

	key_of("", addr, key);
	if (is_marked(d, key, words, cap))
		return true;
	key_of(uri, addr, key);
	return is_marked(d, key, words, cap);
}
