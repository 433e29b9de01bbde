#pragma once

// Undelivered: answers that reached nobody, because who had asked was gone by then. What they hand over is
// taken back and goes to the next poll at once, instead of waiting for a timeout. The token says what it is;
// a task that has moved on meanwhile stays as it is. The core owns it; its thread only.

#include <string>

#include "api/method.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
class TaskDispatch;
class TaskTokens;
class Transitions;

class Undelivered {
 public:
  Undelivered(const CoreClock& clock, const TaskTokens& tokens, TaskDispatch& dispatch,
              Transitions& transitions)
      : clock_(clock), tokens_(tokens), dispatch_(dispatch), transitions_(transitions) {}

  // Nothing when the answer hands nothing over.
  void take_back(api::Method method, const api::Message& answer);

 private:
  void workflow_task(const ws::PollWorkflowTaskQueueResponse& task);
  void activity(const std::string& bytes);

  const CoreClock& clock_;
  const TaskTokens& tokens_;
  TaskDispatch& dispatch_;
  Transitions& transitions_;
};

}  // namespace holdfast::engine
