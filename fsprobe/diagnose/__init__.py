"""From evidence to ranked causes; pure."""
