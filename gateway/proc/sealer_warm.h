/* What libraries do lazily and the sealer's sandbox would refuse: done once before it. */
#ifndef POSTERN_PROC_SEALER_WARM_H
#define POSTERN_PROC_SEALER_WARM_H

/* Signs, encrypts, opens and verifies a small text with a throw-away key, opens the character set conversions, loads
 * the error strings. Ends the process when that does not work: then nothing else would. */
void sealer_warm(void);

#endif
