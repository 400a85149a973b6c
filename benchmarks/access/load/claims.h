// What clients log in with.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "common.h"

// Lines of an account, a tab, and a secret. Sent as a length of two bytes and both as texts that
// end in a zero.
inline std::vector<std::string> readClaims(const std::string& path) {
  std::vector<std::string> claims;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    size_t tab = line.find('\t');
    if (tab == std::string::npos) fail("a claim without a tab");
    std::string body = line.substr(0, tab) + '\0' + line.substr(tab + 1) + '\0';
    std::string length{static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
    claims.push_back(length + body);
  }
  if (claims.empty()) fail("no claims in " + path);
  return claims;
}
