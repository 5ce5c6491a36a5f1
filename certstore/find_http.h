/* Certificates out of certificate stores over HTTP (RFC 4387): configured ones, and those that the partner's domain
 * names (SRV `_certificates._tcp`). For find.c. */
#ifndef POSTERN_CERTSTORE_FIND_HTTP_H
#define POSTERN_CERTSTORE_FIND_HTTP_H

#include "certstore/find_work.h"

void find_http(struct find_work *w);

#endif
