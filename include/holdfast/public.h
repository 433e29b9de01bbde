#pragma once

// HOLDFAST_PUBLIC marks the namespaces of the public API: what is declared in them is visible outside
// libholdfast.so, and nothing else is.

#define HOLDFAST_PUBLIC __attribute__((visibility("default")))
