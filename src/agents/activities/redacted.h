#pragma once

// A model's answer without the values of secrets: before it is stored, streamed or hashed, so that everything
// that follows from it is without them as well. Pure.

#include <cstddef>

#include "base/redaction.h"
#include "model/message.h"

namespace holdfast::agent {

// Texts, names and arguments have something in the place of a value. A block that only its provider
// understands is left out as a whole: it is signed, and another one of it would be refused. Returns how many
// were.
std::size_t redact(const Redaction& redaction, model::Message& message);

}  // namespace holdfast::agent
