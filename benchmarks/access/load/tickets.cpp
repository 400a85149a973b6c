// Signs tickets (docs/tickets.md) for accounts t0, t1, …: a claim a line, as `visit` reads them.
#include <sodium.h>

#include "common.h"

namespace {

std::string base64(const unsigned char* bytes, size_t count) {
  std::string text(sodium_base64_ENCODED_LEN(count, sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
  sodium_bin2base64(text.data(), text.size(), bytes, count,
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();
  return text;
}

std::string base64(const std::string& text) {
  return base64(reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

}  // namespace

int signTickets(const Options& options) {
  if (sodium_init() < 0) fail("libsodium does not start");
  unsigned char seed[crypto_sign_SEEDBYTES], publicKey[crypto_sign_PUBLICKEYBYTES],
      secretKey[crypto_sign_SECRETKEYBYTES];
  std::string key = options.text("key");
  if (key.rfind("ghts_", 0) == 0) key = key.substr(5);
  size_t length = 0;
  if (sodium_hex2bin(seed, sizeof seed, key.data(), key.size(), nullptr, &length, nullptr) != 0 ||
      length != sizeof seed)
    fail("--key is a secret key of 32 bytes in hex");
  crypto_sign_seed_keypair(publicKey, secretKey, seed);
  int64_t issued = time(nullptr);
  for (int64_t index = 0; index < options.number("count"); ++index) {
    std::string account = "t" + std::to_string(index % options.number("accounts", "1000"));
    unsigned char nonce[16], signature[crypto_sign_BYTES];
    randombytes_buf(nonce, sizeof nonce);
    std::string text = "gh1." + options.text("id") + "." + base64(account) + "." +
                       base64(options.text("audience")) + "." + std::to_string(issued) + "." +
                       std::to_string(issued + 1800) + "." + base64(nonce, sizeof nonce);
    crypto_sign_detached(signature, nullptr, reinterpret_cast<const unsigned char*>(text.data()),
                         text.size(), secretKey);
    std::printf("%s\t%s.%s\n", account.c_str(), text.c_str(),
                base64(signature, sizeof signature).c_str());
  }
  return 0;
}
