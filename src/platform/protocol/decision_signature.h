#pragma once

// Who decided, proven: the server signs what a person decided with a key whose public half the run was given
// when it began, and the run takes no decision that is not signed so. Another client of the engine can send
// the update, and cannot decide. What is signed is everything that counts: the approval, the hash of the
// arguments that the person saw, what he said instead of them, who he is, and until when it holds.
//
// Pure and deterministic: the workflow verifies, and its time is an argument.

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "protocol/decision.h"

namespace holdfast::protocol {

// How long a signature holds. A decision is signed anew each time it is sent, and may wait for a worker that
// is away.
inline constexpr std::int64_t kSignatureMs = 24LL * 3600 * 1000;

// Base64url. `seed`: bytes.
std::string decision_key(std::string_view seed);
// Fills in until when it holds, and the signature.
void sign(Decision& decision, std::string_view seed, std::int64_t now_ms);
// PERMISSION_DENIED says what is wrong with it. `key`: what decision_key gave.
Status verify(const Decision& decision, std::string_view key, std::int64_t now_ms);

}  // namespace holdfast::protocol
