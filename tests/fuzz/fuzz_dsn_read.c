/*
 * Delivery reports of strangers. Whatever stands in them, every text that comes out is printable and bounded,
 * addresses parse again as they are, and reading ends. The first octet chooses between the fields of a status, a
 * returned header, and quoted-printable of one of them.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/dsn_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void printable(const char *s, size_t cap)
{
	REQUIRE(memchr(s, 0, cap) != NULL);
	for (; *s; s++)
		REQUIRE((unsigned char)*s >= 32 && (unsigned char)*s < 127);
}

static void address(const char *s)
{
	char again[ADDRESS_TEXT_MAX];

	REQUIRE(memchr(s, 0, ADDRESS_TEXT_MAX) != NULL);
	for (const char *c = s; *c; c++)
		REQUIRE((unsigned char)*c >= 32 && *c != 127);
	if (s[0])
		REQUIRE(dsn_read_address(s, again) != 0 || again[0]);
}

static void status(const char *p, size_t n)
{
	struct dsn_read *d = malloc(sizeof *d);

	REQUIRE(d);
	if (dsn_read_status(p, n, d) == 0)
		REQUIRE(d->nrcpts > 0 && d->nrcpts <= DSN_READ_RCPTS);
	else
		REQUIRE(d->nrcpts == 0 && !d->mta[0] && !d->envid[0]);
	printable(d->mta, sizeof d->mta);
	printable(d->envid, sizeof d->envid);
	for (size_t i = 0; i < d->nrcpts; i++) {
		REQUIRE(d->rcpts[i].action <= DSN_DELIVERED);
		address(d->rcpts[i].final);
		address(d->rcpts[i].original);
		printable(d->rcpts[i].status, sizeof d->rcpts[i].status);
		printable(d->rcpts[i].diagnostic, sizeof d->rcpts[i].diagnostic);
	}
	free(d);
}

static void header(const char *p, size_t n)
{
	char id[DSN_READ_MESSAGE_ID_MAX];

	if (dsn_read_message_id(p, n, id) == 0)
		REQUIRE(id[0] == '<' && id[strlen(id) - 1] == '>');
	else
		REQUIRE(!id[0]);
	printable(id, sizeof id);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text;

	if (n == 0)
		return 0;
	text = malloc(n > 1 ? n - 1 : 1); /* the very size, so that a step too far is seen */
	REQUIRE(text);
	memcpy(text, p + 1, n - 1);
	n--;
	if (p[0] & 2) {
		size_t left = dsn_read_unquote(text, n);

		REQUIRE(left <= n);
		n = left;
	}
	if (p[0] & 1)
		header(text, n);
	else
		status(text, n);
	free(text);
	return 0;
}
