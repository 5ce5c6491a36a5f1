/* `report RUN`: everything that is made from results.json of a run's directory. */
#ifndef INTEROP_REPORT_H
#define INTEROP_REPORT_H

#include "interop/kit/kit.h"
#include "interop/kit/sink.h"
#include "interop/kit/world.h"

/* Writes report.html, junit.xml, tester.pem, gateway.pem (the gateway's signing certificates, if kit.conf names
 * them), manifest.json, and manifest.p7s, the tester's signature over it. A countersignature of an earlier manifest
 * is removed. 0 or -1 with why. */
int report_write(const struct kit *k, const char *run_dir, struct buf *why);
/* The two that results.json and the evidence give, for report_write and verify. 0 or -1 with why. */
int report_render(const char *run_dir, struct buf *html, struct buf *junit, struct buf *why);
/* Has the gateway countersign the manifest: sends a mail through it as a user inside to
 * report@countersign.<kit-domain>, waits for it at the outside sink (to three times kit.within_ms and at least 60 s),
 * and keeps it if the gateway signed it: countersignature.eml (opened), countersignature.sealed.eml (as it came, when
 * it was sealed) with countersignature.pem (certificate and key of that domain, which opens it), and
 * countersignature.json with its signature countersignature.p7s, by which the tester says when it came and that none
 * of these was changed. Blocks. 0 or -1 with why. */
int report_countersign(const struct kit *k, struct world *w, struct sink *s, const char *run_dir, struct buf *why);

#endif
