"""What both clients know of the daemon."""

import os

NAME = "com.aiworkflow.BotCron"
ROOT = "/com/aiworkflow/BotCron"
FACE = NAME
MANAGER = NAME + ".Manager1"
JOB = NAME + ".Job1"
RUN = NAME + ".Run1"
PROPERTIES = "org.freedesktop.DBus.Properties"
CONFIG = os.environ["XDG_CONFIG_HOME"] + "/aa-workflow"

# For one call, and for what is waited for.
SECONDS = 60


class Refused(Exception):
    """The answer was an error."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
