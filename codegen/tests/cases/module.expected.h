/* Made by keelback 0.1.0: the C interface of package.module. Changes to this file are lost. */
#ifndef PACKAGE_MODULE_H
#define PACKAGE_MODULE_H


#ifndef PACKAGE_MODULE_API
#if defined(_WIN32)
#define PACKAGE_MODULE_API __declspec(dllimport)
#else
#define PACKAGE_MODULE_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif



#ifdef __cplusplus
}
#endif

#endif /* PACKAGE_MODULE_H */
