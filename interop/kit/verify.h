/* `verify-report RUN [--tester CERT] [--gateway CERT]`: whether a run's directory is what a tester signed and a
 * gateway countersigned. Everything in it may be a stranger's. */
#ifndef INTEROP_VERIFY_H
#define INTEROP_VERIFY_H

#include "interop/kit/util.h"

/* Adds a line for each fact to say, which begins with "holds: " or "does not hold: ": the manifest is well-formed,
 * each file is as it says and none was added or is missing, the tester signed it (tester: a file with his
 * certificate; NULL: the one in the report, of which the line shows the fingerprint), report.html and junit.xml are
 * what results.json gives, the gateway countersigned it (gateway: a file with its certificates, NULL: those in the
 * report) and the tester's receipt says the same. 0 only when all hold; 1 otherwise. */
int verify_report(const char *run_dir, const char *tester, const char *gateway, struct buf *say);

#endif
