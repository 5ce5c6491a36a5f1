/* Where the kit's own files are: cases, requirements, judges. */
#ifndef INTEROP_PLACE_H
#define INTEROP_PLACE_H

/* The path of a file or folder of interop/: beside the source tree's build directory, or in
 * <prefix>/share/postern-interop. Free it. Dies when it is in neither place. */
char *place_of(const char *name);

#endif
