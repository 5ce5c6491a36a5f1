/* The kit's own settings, DIR/kit.conf: lines "name = value", comments with "#". Which gateway is tested, and where
 * the kit listens. */
#ifndef INTEROP_KIT_H
#define INTEROP_KIT_H

#include "interop/kit/util.h"

struct kit {
	char *dir;
	char *kit_domain;			/* kit-domain: above all partner domains */
	char *host;				/* host: name of the kit's mail server, mx.<kit-domain> */
	char *gateway_domain;			/* gateway-domain */
	char *gateway_inside, *gateway_outside; /* host:port where the kit submits and delivers */
	char *gateway_web;			/* gateway-web: host:port of its web listener; empty: none */
	char *inside_sink, *outside_sink; /* host:port where the kit listens as the inside server, and as the MX of
					     all partner domains */
	char *dns, *ldap, *http, *https;  /* host:port where the kit's servers listen; empty: not there */
	char *gateway_sign,
	    *gateway_encrypt; /* files (PEM) with the gateway's certificates; below DIR unless absolute */
	char *setups;	      /* settings that the operator has made, by the names that cases need; with commas */
	char *marks[4]; /* mark-trusted, mark-untrusted, mark-broken, mark-unsigned: extended regular expressions for
			   a header line, unfolded */
	char *tester, *gateway_name, *gateway_version; /* for the report */
	char *cases,
	    *requirements; /* directories; by default those that were installed, or interop/ beside the program */
	char *second;	   /* second-judge: auto, bouncycastle, nss, gpgsm */
	int64_t settle_ms; /* settle: how long after a case's last step nothing more is expected to come */
	int64_t within_ms; /* within: how long an await waits unless it says otherwise */
	long workers;	   /* cases at a time */
};

enum mark { MARK_TRUSTED, MARK_UNTRUSTED, MARK_BROKEN, MARK_UNSIGNED, MARK_NONE };
extern const char *const mark_names[]; /* "trusted" ... "unmarked" */

/* Reads DIR/kit.conf; an unknown name is an error. 0 or -1 with why. Free with kit_free. */
int kit_read(const char *dir, struct kit *out, struct buf *why);
/* Writes DIR/kit.conf with every setting, its default and what it means; overwrites nothing. settings: "name=value"
 * that take the place of defaults. */
int kit_write(const char *dir, char **settings, size_t n, struct buf *why);
void kit_free(struct kit *k);
/* Each setting with its value as text. */
void kit_each(const struct kit *k, void (*f)(void *arg, const char *name, const char *value), void *arg);
/* "host:port" cut into its parts, the host without brackets. Free both. -1: not such a text. */
int kit_address(const char *text, char **host, char **port);
/* The host of such a text, without brackets; "" when it is none. Free. */
char *kit_host(const char *text);

#endif
