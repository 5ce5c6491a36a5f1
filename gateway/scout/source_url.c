/* RFC 3986, RFC 9110 4.2. */
#include "gateway/scout/source_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static int bad(const char **why_r, const char *why)
{
	*why_r = why;
	return -1;
}

/* The scheme; *p behind "//". */
static int take_scheme(const char **p, struct source_url *u, const char **why_r)
{
	u->tls = strncasecmp(*p, "https://", 8) == 0;
	if (!u->tls && strncasecmp(*p, "http://", 7) != 0)
		return bad(why_r, "only http:// and https:// are fetched");
	*p += u->tls ? 8 : 7;
	return 0;
}

/* "10", "0x7f.1" and the like are addresses to some: a host whose last label is a number must be four numbers. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;

	return strspn(last, DIGITS) == strlen(last) ||
	       (last[0] == '0' && last[1] == 'x' && strspn(last + 2, DIGITS "abcdef") == strlen(last + 2));
}

static int check_name(const char *host, const char **why_r)
{
	struct in_addr v4;
	size_t label = 0;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return 0;
	if (ends_in_number(host))
		return bad(why_r, "its host is a number that is no usual IP address");
	for (const char *p = host;; p++) {
		if (*p == '.' || *p == 0) {
			if (label == 0 || label > 63)
				return bad(why_r, "its host is no domain name");
			label = 0;
			if (*p == 0)
				return 0;
		} else {
			label++;
		}
	}
}

static int take_host(const char **p, struct source_url *u, const char **why_r)
{
	const char *from = *p;
	struct in6_addr v6;
	size_t n;

	if (*from == '[') {
		n = strcspn(++from, "]");
		if (from[n] != ']' || n >= INET6_ADDRSTRLEN)
			return bad(why_r, "its host is no IP address");
		*p = from + n + 1;
	} else {
		n = strcspn(from, ":/?#");
		*p = from + n;
		if (n > 0 && from[n - 1] == '.')
			n--;
	}
	if (n == 0 || n > 253)
		return bad(why_r, n == 0 ? "it has no host" : "its host is no domain name");
	for (size_t i = 0; i < n; i++)
		u->host[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
	u->host[n] = 0;
	if (from[-1] == '[')
		return inet_pton(AF_INET6, u->host, &v6) == 1 ? 0 : bad(why_r, "its host is no IP address");
	if (strspn(u->host, DIGITS LETTERS "-_.") != n)
		return bad(why_r, "its host is no domain name in A-labels");
	return check_name(u->host, why_r);
}

static int take_port(const char **p, struct source_url *u, const char **why_r)
{
	size_t n;

	u->port = u->tls ? 443 : 80;
	if (**p != ':')
		return 0;
	n = strspn(++*p, DIGITS);
	if (n > 5)
		return bad(why_r, "its port is no port");
	if (n > 0)
		u->port = (unsigned)strtoul(*p, NULL, 10);
	*p += n;
	return u->port >= 1 && u->port <= 65535 ? 0 : bad(why_r, "its port is no port");
}

int source_url_split(const char *url, struct source_url *u, const char **why_r)
{
	size_t n = strlen(url), authority, rest;
	const char *p = url;
	bool six;

	memset(u, 0, sizeof *u);
	if (n > SOURCE_NAME_MAX)
		return bad(why_r, "it is longer than 2000 octets");
	for (size_t i = 0; i < n; i++) {
		if (url[i] <= ' ' || url[i] > '~' || strchr("\"<>\\^`{|}", url[i]))
			return bad(why_r, "it has octets that belong in no URL");
	}
	if (take_scheme(&p, u, why_r) < 0)
		return -1;
	authority = strcspn(p, "/?#");
	if (memchr(p, '@', authority))
		return bad(why_r, "it has a user name or password, which is never sent");
	if (take_host(&p, u, why_r) < 0 || take_port(&p, u, why_r) < 0)
		return -1;
	if (*p && !strchr("/?#", *p))
		return bad(why_r, "there is something else behind its host");
	six = strchr(u->host, ':') != NULL;
	rest = strcspn(p, "#");
	snprintf(u->text, sizeof u->text, "%s://%s%s%s:%u%s%.*s", u->tls ? "https" : "http", six ? "[" : "", u->host,
	    six ? "]" : "", u->port, *p == '/' ? "" : "/", (int)rest, p);
	return 0;
}

int source_url_follow(const struct source_url *from, const char *location, struct source_url *u, const char **why_r)
{
	CURLU *h = curl_url();
	char *whole = NULL;
	int r = -1;

	memset(u, 0, sizeof *u);
	if (!h || curl_url_set(h, CURLUPART_URL, from->text, 0) != CURLUE_OK)
		bad(why_r, "libcurl cannot read it");
	else if (curl_url_set(h, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
		 curl_url_get(h, CURLUPART_URL, &whole, 0) != CURLUE_OK)
		bad(why_r, "it cannot be read as a URL");
	else
		r = source_url_split(whole, u, why_r);
	if (r == 0 && from->tls && !u->tls)
		r = bad(why_r, "it leads from https to http");
	curl_free(whole);
	curl_url_cleanup(h);
	return r;
}
