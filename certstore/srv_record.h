/* SRV records (RFC 2782) and the order in which their servers are asked. Judge; pure, over octets a stranger wrote.
 */
#ifndef POSTERN_CERTSTORE_SRV_RECORD_H
#define POSTERN_CERTSTORE_SRV_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/mail/address.h"

#define SRV_RECORD_TYPE 33 /* of DNS */

struct srv_record {
	uint16_t priority, weight, port;
	char host[ADDRESS_DOMAIN_MAX + 1]; /* "": the service is decidedly not there */
};
enum srv_record_order {
	SRV_WEIGHT_FIRST, /* within a priority the highest weight first */
	SRV_RFC2782,	  /* within a priority drawn by weight */
};
/* One record's RDATA, names uncompressed. 0, -1 with *why_r. */
int srv_record_read(const uint8_t *p, size_t n, struct srv_record *r_r, const char **why_r)
    __attribute__((warn_unused_result));
/* In place. The draw of SRV_RFC2782 depends on seed alone: the same question has the same order when it is worked
 * out again. */
void srv_record_sort(struct srv_record *v, size_t n, enum srv_record_order order, uint64_t seed);

#endif
