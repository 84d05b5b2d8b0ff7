#pragma once
/* What it checks of constant options it cannot check of those that are handed on. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic, which Swift does not import. */
static inline CURLcode bc_curl_set_number(CURL *handle, CURLoption option, long value)
{ return curl_easy_setopt(handle, option, value); }
static inline CURLcode bc_curl_set_text(CURL *handle, CURLoption option, const char *value)
{ return curl_easy_setopt(handle, option, value); }
static inline CURLcode bc_curl_set_pointer(CURL *handle, CURLoption option, void *value)
{ return curl_easy_setopt(handle, option, value); }
static inline CURLcode bc_curl_set_writer(CURL *handle, curl_write_callback writer)
{ return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, writer); }
static inline CURLcode bc_curl_set_reader(CURL *handle, curl_read_callback reader)
{ return curl_easy_setopt(handle, CURLOPT_READFUNCTION, reader); }
static inline CURLcode bc_curl_get_number(CURL *handle, CURLINFO info, long *value)
{ return curl_easy_getinfo(handle, info, value); }
static inline CURLcode bc_curl_get_text(CURL *handle, CURLINFO info, char **value)
{ return curl_easy_getinfo(handle, info, value); }
