/* domain.*: our own domains' keys and certificates. Handlers of judge_admin.c; role judge; asks the keeper. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_DOMAIN_H
#define POSTERN_PROC_JUDGE_ADMIN_DOMAIN_H

#include "gateway/proc/judge_call.h"

/*
 * domain; mode "csr" (default), "self" or "import".
 * csr, self: algo ("rsa-2048"), days (730, self), organisation, address (an rfc822Name beside the domain; default:
 * the domain's signing and confidentiality authority) -> keys: [row + "csr" or "pem"], one key to sign and one to
 * open. import: key (base64 of PKCS#8), certs (base64; the key's certificate first, then its chain), use ("sign",
 * "decrypt"; default: all the certificate allows), force -> keys: [row], warnings.
 */
int judge_admin_domain_add(struct judge_call *c);
/* The same for a TLS server key; domain is the host's name, algo "ec-p256" by default. */
int judge_admin_domain_tls(struct judge_call *c);
/* domain (all) -> identities: [row], without: [our domains that cannot sign] */
int judge_admin_domain_list(struct judge_call *c);

#endif
