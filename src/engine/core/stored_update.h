#pragma once

// An update that is in the history: what the run's state says about it. Pure.

#include <string>

#include "engine/run.h"

namespace holdfast::engine {

// Null: not accepted, or not known.
inline const stored::UpdateInfo* stored_update(const MutableState& ms, const std::string& id) {
  for (int i = ms.s().updates_size() - 1; i >= 0; --i) {
    if (ms.s().updates(i).update_id() == id) return &ms.s().updates(i);
  }
  return nullptr;
}

}  // namespace holdfast::engine
