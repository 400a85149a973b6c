#pragma once

// Not in the Glibc module.
#include <getopt.h>
