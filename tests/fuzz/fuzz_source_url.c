/* URLs and where redirects lead: what is taken apart reads back as itself, and libcurl sees the same host and port.
 * The input: a URL, a NUL, a Location. */
#include "gateway/scout/source_url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_to_curl(const struct source_url *u)
{
	CURLU *h = curl_url();
	char *host = NULL, *port = NULL;
	size_t n;

	REQUIRE(h && curl_url_set(h, CURLUPART_URL, u->text, 0) == CURLUE_OK);
	REQUIRE(curl_url_get(h, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	REQUIRE(curl_url_get(h, CURLUPART_PORT, &port, 0) == CURLUE_OK);
	n = strlen(host);
	if (host[0] == '[')
		REQUIRE(strchr(u->host, ':') && n > 2); /* it may be spelt in another way */
	else
		REQUIRE(strcmp(host, u->host) == 0);
	REQUIRE(strtoul(port, NULL, 10) == u->port);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(h);
}

static void check(const struct source_url *u)
{
	static struct source_url again;
	const char *why;

	REQUIRE(u->host[0] && u->port >= 1 && u->port <= 65535 && !strchr(u->text, '#'));
	if (strlen(u->text) <= SOURCE_NAME_MAX) {
		REQUIRE(source_url_split(u->text, &again, &why) == 0);
		REQUIRE(strcmp(again.text, u->text) == 0 && strcmp(again.host, u->host) == 0);
		REQUIRE(again.port == u->port && again.tls == u->tls);
	}
	same_to_curl(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source_url from, to;
	char *text = malloc(size + 1);
	const char *why = NULL;
	size_t n;

	REQUIRE(text);
	memcpy(text, data, size);
	text[size] = 0;
	n = strlen(text);
	if (source_url_split(text, &from, &why) < 0) {
		REQUIRE(why);
	} else {
		check(&from);
		if (n < size && source_url_follow(&from, text + n + 1, &to, &why) == 0) {
			check(&to);
			REQUIRE(to.tls || !from.tls);
		}
	}
	free(text);
	return 0;
}
