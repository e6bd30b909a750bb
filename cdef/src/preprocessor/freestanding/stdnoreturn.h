/* <stdnoreturn.h> of the compiler (C11 4, paragraph 6), for when there is none to ask for its own. */
#ifndef _STDNORETURN_H
#define _STDNORETURN_H
#ifndef __cplusplus
#define noreturn _Noreturn
#endif
#endif
