<?php
// The application of the bench for PHP-FPM.
$text = "hello from {$_SERVER['REQUEST_URI']} to a reader of {$_SERVER['HTTP_ACCEPT_LANGUAGE']}\n";
header('Content-Type: text/plain');
header('Content-Length: ' . strlen($text));
echo $text;
