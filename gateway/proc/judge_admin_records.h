/*
 * domain.records: what a domain publishes in DNS, as lines of a zone file. Role judge; reads the store.
 *
 *   domain.records {domain} -> {domain, records: [{owner, type, data, note}]}
 *     owner: absolute, with its dot; type "" and data "": only a note, a line of comment
 *
 * TXT `_smg` (docs/XSMG.md), CERT (RFC 4398), SMIMEA (RFC 8162, for all local parts by a wildcard), TLSA (RFC 6698, 3
 * 1 1: a renewed certificate of the same key needs no new record), SRV of the certificate store (RFC 4387).
 */
#ifndef POSTERN_PROC_JUDGE_ADMIN_RECORDS_H
#define POSTERN_PROC_JUDGE_ADMIN_RECORDS_H

#include "gateway/proc/judge_call.h"

int judge_admin_domain_records(struct judge_call *c);

#endif
