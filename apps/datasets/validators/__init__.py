"""The validators that ship with the platform; settings name the ones in use."""
