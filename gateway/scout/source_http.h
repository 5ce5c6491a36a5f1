/*
 * The HTTP source: what a URL has (certstore/source.h, SOURCE_HTTP), by libcurl on the loop. Role scout; octets in,
 * octets out. RFC 9110, RFC 9111 4.2.1. Never blocks after source_http_new.
 *
 * http and https, GET or POST. Names are looked up through dns.h; every address and port, that of each redirect too,
 * is judged (guard.h) and the connection goes to a judged address or not at all. No proxy, cookies, credentials,
 * Referer or compression. Answers: 200 with a body is FOUND; 404 and 410 are NONE; everything else is TEMP with the
 * reason. A server's certificate must be valid for its name, whoever named it.
 */
#ifndef POSTERN_SCOUT_SOURCE_HTTP_H
#define POSTERN_SCOUT_SOURCE_HTTP_H

#include "gateway/scout/dns.h"
#include "gateway/scout/source_done.h"
#include "gateway/scout/source_settings.h"

struct source_http;
/* Reads the file of CAs (PEM): call it before the sandbox. d and set stay. When the file cannot be read, there is an
 * alarm and no https. */
struct source_http *source_http_new(
    struct loop *l, struct dns *d, const struct source_settings *set, const char *ca_file);
/* After dns_free, before loop_free; questions under way end without an answer. NULL is
 * allowed. */
void source_http_free(struct source_http *h);
void source_http_ask(struct source_http *h, const struct source_ask *ask, source_done *done, void *ctx);

#endif
