/* `check`: are all cases written as the language says, and does every name in them stand for something? */
#ifndef INTEROP_CHECK_H
#define INTEROP_CHECK_H

#include "interop/kit/case_file.h"

/* 0, or -1: why has a line for each thing that is wrong. */
int check_cases(const struct case_list *cases, struct buf *why);

#endif
