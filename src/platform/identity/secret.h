#pragma once

// What programs and browsers prove themselves with, as text: PREFIX_ID_SECRET. The id finds the row and may
// be shown; the secret is 256 bits, and of it the row has the hash. The prefix is for people, and for
// scanners that look for secrets in places where they do not belong.

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast::identity {

inline constexpr std::string_view kKeyPrefix = "hfk";
inline constexpr std::string_view kSessionPrefix = "hfs";
inline constexpr std::string_view kSetupPrefix = "hfsetup";
inline constexpr std::string_view kLocalPrefix = "hflocal";

struct Secret {
  std::string id;
  std::string secret;
};

// Random is the machine's entropy.
Secret new_secret(Random& random);
std::string secret_text(std::string_view prefix, const Secret& secret);
// None: it is no such text. Says nothing about whether it is known.
std::optional<Secret> parse_secret(std::string_view prefix, std::string_view text);

std::string secret_hash(const Secret& secret);
// Takes as long whatever differs.
bool is_secret_of(const Secret& shown, std::string_view hash);

}  // namespace holdfast::identity
