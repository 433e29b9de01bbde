#pragma once

// Everything a program with workflows, activities or a client needs.

#include "holdfast/activity.h"
#include "holdfast/agent.h"
#include "holdfast/client.h"
#include "holdfast/combinators.h"
#include "holdfast/connect.h"
#include "holdfast/connection.h"
#include "holdfast/environment.h"
#include "holdfast/failure.h"
#include "holdfast/options.h"
#include "holdfast/payload.h"
#include "holdfast/task.h"
#include "holdfast/worker.h"
#include "holdfast/workflow.h"
