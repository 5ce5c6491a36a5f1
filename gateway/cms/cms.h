/*
 * CMS (RFC 5652, 5083, 8551) on readers and writers: sign, encrypt, outline, decrypt, verify, uncompress. Runs in the
 * sealer (and tests); blocks; no paths, no network. Private operations go through the EVP_PKEY given (which may live
 * in the keeper). Memory does not grow with the content. Says nothing about trust: verify tells which certificate
 * signed what, the judge tells whom to believe.
 *
 * The parts, for those who use all of them: outbound cms_sign into cms_enc_writer, inbound cms_outline, cms_decrypt,
 * cms_verify, cms_uncompress; cms_caps_read for what a signer's reader can open. base64.h is apart.
 */
#ifndef POSTERN_CMS_CMS_H
#define POSTERN_CMS_CMS_H

#include "gateway/cms/cms_caps.h"
#include "gateway/cms/cms_compress.h"
#include "gateway/cms/cms_decrypt.h"
#include "gateway/cms/cms_enc.h"
#include "gateway/cms/cms_outline.h"
#include "gateway/cms/cms_sign.h"
#include "gateway/cms/cms_verify.h"

#endif
