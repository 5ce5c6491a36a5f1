/* What fake_second.c answers: JSON; NULL: it cannot judge. */
#ifndef INTEROP_FAKE_SECOND_H
#define INTEROP_FAKE_SECOND_H

extern const char *fake_second_answer;
extern unsigned fake_second_asked;

#endif
