/* A file with certificates that came with an admin request, and which of them the admin means. Role judge; used by
 * judge_admin_*.c. */
#ifndef POSTERN_PROC_JUDGE_UPLOAD_H
#define POSTERN_PROC_JUDGE_UPLOAD_H

#include "gateway/proc/judge_call.h"

#define JUDGE_UPLOAD_MAX 256 /* certificates */
struct judge_upload {
	X509 *list[JUDGE_UPLOAD_MAX];
	bool chosen[JUDGE_UPLOAD_MAX];
	size_t n, nchosen;
};
/* Reads argument `name` (base64 of PEM, DER or PKCS#7). 0 / -1. judge_upload_clear in both cases. */
int judge_upload_read(struct judge_call *c, const char *name, struct judge_upload *u_r);
/* Marks those whose fingerprints stand in argument "sha256" (an array of strings); each must be in the file. Without
 * the argument: the only one, or -1 when there are several or need is JUDGE_MUST. */
int judge_upload_choose(struct judge_call *c, enum judge_need need, struct judge_upload *u);
void judge_upload_clear(struct judge_upload *u);
/* i2d of x; OPENSSL_free. */
uint8_t *judge_upload_der(X509 *x, size_t *n_r);

#endif
